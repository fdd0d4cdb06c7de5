using Merge.Plugin.Ties;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>TIES and its relatives against plain code over whole arrays, on generated tensors of every rank.</summary>
public abstract class TiesReferenceTests
{
    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData(0.5, true, 1, false)]
    [InlineData(0.3, false, 0.8, false)]
    [InlineData(0.6, true, 1, true)]
    [InlineData(1, true, 1, false)]
    [InlineData(2.5, true, 1, true)]
    public void Ties_trims_elects_and_adds(double density, bool normalize, double lambda, bool rescale) =>
        ForAll(density, c => Agree(
            TaskVectorMethods.Elected(
                c, i => Rescaled(c, i, TaskVectorMethods.Trimmed(c, i, density), rescale), normalize, lambda),
            c,
            new TiesMerge(),
            new TiesOptions
            {
                Weight = new(c.Weights),
                Density = density,
                Normalize = normalize,
                Lambda = lambda,
                Rescale = rescale,
            }));

    [Theory]
    [InlineData(0.5, 0.2, false, false)]
    [InlineData(0.9, 0.3, true, false)]
    [InlineData(0.4, 0, false, true)]
    [InlineData(1, 0.5, false, true)]
    public void Breadcrumbs_drop_both_ends(double density, double gamma, bool normalize, bool rescale) =>
        ForAll(density, c =>
        {
            var options = new BreadcrumbsOptions
            {
                Weight = new(c.Weights),
                Density = density,
                Gamma = gamma,
                Normalize = normalize,
                Rescale = rescale,
                Lambda = 0.7,
            };
            Agree(TaskVectorMethods.Added(c, Crumbs, normalize, 0.7), c, new BreadcrumbsMerge(), options);
            Agree(TaskVectorMethods.Elected(c, Crumbs, normalize, 0.7), c, new BreadcrumbsTiesMerge(), options);

            Sparse Crumbs(int i) => Rescaled(c, i, TaskVectorMethods.Crumbs(c, i, density, gamma), rescale);
        });

    [Theory]
    [InlineData(0.5, Rescaling.L1, false)]
    [InlineData(0.3, Rescaling.None, true)]
    [InlineData(0.3, Rescaling.InverseDensity, false)]
    [InlineData(0, Rescaling.L1, false)]
    [InlineData(0, Rescaling.InverseDensity, false)]
    [InlineData(1, Rescaling.L1, true)]
    [InlineData(1.5, Rescaling.InverseDensity, true)]
    public void Dare_drops_at_random(double density, Rescaling rescale, bool normalize) => MergeCase.ForAll(c =>
    {
        var options = new DareOptions
        {
            Weight = new(c.Weights),
            Density = density,
            Rescale = rescale,
            Normalize = normalize,
            Lambda = 0.7,
        };
        Agree(TaskVectorMethods.Added(c, Dropped, normalize, 0.7), c, new DareLinearMerge(), options);
        Agree(TaskVectorMethods.Elected(c, Dropped, normalize, 0.7), c, new DareTiesMerge(), options);

        Sparse Dropped(int i)
        {
            var masked = TaskVectorMethods.Dropped(c, i, density, Draw(c, i));
            return rescale switch
            {
                Rescaling.L1 => TaskVectorMethods.Rescaled(c, i, masked),
                Rescaling.InverseDensity when density is > 0 and < 1 => masked with { Factor = 1 / density },
                _ => masked,
            };
        }
    });

    [Theory]
    [InlineData(0.5, 0.2, true, true)]
    [InlineData(0.3, 0, false, false)]
    [InlineData(1, 0.15, true, false)]
    public void Della_drops_by_rank(double density, double epsilon, bool rescale, bool normalize) => MergeCase.ForAll(c =>
    {
        var options = new DellaLinearOptions
        {
            Weight = new(c.Weights),
            Density = density,
            Epsilon = epsilon,
            Rescale = rescale,
            Normalize = normalize,
            Lambda = 0.7,
        };
        Agree(TaskVectorMethods.Added(c, Dropped, normalize, 0.7), c, new DellaLinearMerge(), options);
        Agree(TaskVectorMethods.Elected(c, Dropped, normalize, 0.7), c, new DellaMerge(), options);

        Sparse Dropped(int i) => Rescaled(
            c, i, TaskVectorMethods.DroppedByRank(c, i, density, epsilon, Draw(c, i)), rescale);
    });

    // Tensors that a density would keep nothing of are refused, which other tests see.
    private static void ForAll(double density, Action<MergeCase> holds) => MergeCase.ForAll(c =>
    {
        if (density * c.Count >= 1)
            holds(c);
    });

    private static Sparse Rescaled(MergeCase c, int model, Sparse masked, bool rescale) =>
        rescale ? TaskVectorMethods.Rescaled(c, model, masked) : masked;

    private static float[] Draw(MergeCase c, int model) => PhiloxOnArrays.Uniform(c.Seed, "w", model, c.Count);

    private void Agree(double[] expected, MergeCase c, MergeStrategy strategy, object options) =>
        Near.Relative(expected, Runner.Merge(strategy, options, c.Inputs)["w"], tolerance: 1e-5);
}

public sealed class TiesReferenceTestsOnArrays : TiesReferenceTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}
