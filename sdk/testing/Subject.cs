using Merge.Recipes;
using Merge.Sdk;
using Merge.Testing.Engine;

namespace Merge.Testing;

/// <summary>The method under check, with options and numbers of models resolved, and checkpoints to merge.</summary>
internal sealed class Subject
{
    private readonly ConformanceSetup _setup;

    public Subject(IMergeEngine engine, DeviceEngine device, MergeStrategy strategy, ConformanceSetup setup)
    {
        (Engine, Device, Strategy, _setup) = (engine, device, strategy, setup);
        Schema = OptionsSchema.Of(strategy.OptionsType);
        Options = setup.Options ?? Activator.CreateInstance(strategy.OptionsType)!;
        ModelCount = setup.Models ?? Math.Clamp(3, strategy.Info.MinModels, strategy.Info.MaxModels);
    }

    public IMergeEngine Engine { get; }

    public DeviceEngine Device { get; }

    public MergeStrategy Strategy { get; }

    public OptionsSchema Schema { get; }

    public object Options { get; }

    public int ModelCount { get; }

    public bool Symmetric => _setup.Symmetric;

    public double Tolerance => _setup.Tolerance;

    public bool HasBase => Strategy.Info.Base switch
    {
        InputRole.Required => true,
        InputRole.Optional => _setup.WithBase,
        // As a member it is one of the models.
        _ => false,
    };

    /// <summary>Base and models that differ, with positive side inputs, or Gram matrices for those that are matrices.</summary>
    /// <param name="shapes">By tensor name.</param>
    public TestModels Models(IReadOnlyDictionary<string, long[]> shapes) => Models(shapes, TestValues.Checkpoint);

    /// <summary>Base and models all alike.</summary>
    public TestModels Equal(IReadOnlyDictionary<string, long[]> shapes) =>
        Models(shapes, (all, _) => TestValues.Checkpoint(all, 0));

    public Dictionary<string, float[]> Merge(TestModels models, EngineSettings? settings = null, object? options = null) =>
        new(Engine.Merge(Strategy, options ?? Options, models, settings ?? new EngineSettings()));

    /// <summary>What the method's own code did wrong; null where the merge was refused in words.</summary>
    /// <param name="rule">The rule that was checked.</param>
    /// <param name="thrown">What the merge ended with.</param>
    /// <param name="when">Under what circumstances, as "shape [0]: ".</param>
    public ConformanceFinding? Fault(ConformanceRule rule, Exception thrown, string when = "") =>
        PluginFault.Of(Strategy, thrown) is { } fault
            ? new(rule, when + fault.Found, fault.LookAt) { Cause = fault.Cause }
            : null;

    /// <summary>A merge on one thread: what is told of a fault is the same every time.</summary>
    public Dictionary<string, float[]> MergeInOrder(TestModels models, object? options = null) =>
        Merge(models, new EngineSettings { Threads = 1 }, options);

    private TestModels Models(
        IReadOnlyDictionary<string, long[]> shapes,
        Func<IReadOnlyDictionary<string, long[]>, int, IReadOnlyDictionary<string, TestTensor>> checkpoint) =>
        new([.. Enumerable.Range(1, ModelCount).Select(i => checkpoint(shapes, i))])
        {
            Base = HasBase ? checkpoint(shapes, 0) : null,
            Seed = 11,
            Sides = Schema.Parameters.Where(p => p.SideInput is not null).ToDictionary(
                p => p.SideInput!.Name,
                p => (IReadOnlyList<IReadOnlyDictionary<string, TestTensor>?>)
                    [
                        .. Enumerable.Range(1, ModelCount).Select(i => p.SideInput!.Shape == SideShape.InputGram
                            ? TestValues.Grams(shapes, i)
                            : TestValues.Positive(shapes, i)),
                    ]),
        };
}
