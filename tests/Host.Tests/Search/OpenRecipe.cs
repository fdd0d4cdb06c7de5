using Host.Tests.Merging;
using Host.Tests.Planning;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Search;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Search;

/// <summary>Small models of four layers, and recipes over them whose parameters are searched.</summary>
internal sealed class OpenRecipe : IDisposable
{
    public static readonly string Installed =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));

    private readonly TestModels _models = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed));

    public OpenRecipe(int layers = 4)
    {
        foreach (var (seed, name) in new[] { "base", "a", "b", "run/c-1", "run/c-2", "run/c-10" }.Index())
        {
            _models.Write(name, null,
            [
                Of("model.embed_tokens.weight", Values(seed, 0)) with { Shape = [2, 4] },
                .. Enumerable.Range(0, layers).SelectMany(l => new[]
                {
                    Of($"model.layers.{l}.self_attn.q.weight", Values(seed, 2 + l)),
                    Of($"model.layers.{l}.mlp.up.weight", Values(seed, 20 + l)),
                }),
                Of("model.norm.weight", Values(seed, 1)),
            ]);
        }
    }

    public string Root => _models.Root;

    public PluginCatalog Catalog => _catalog;

    public void Dispose()
    {
        _catalog.Dispose();
        _models.Dispose();
    }

    public Recipe Parse(string text) => RecipeParser.Parse(_models["recipe.yaml"], text);

    public PlannedSpace Plan(string text)
    {
        var recipe = Parse(text);
        return PlannedSpace.Of(recipe, recipe.Search!, _catalog, new RecipePlanner(_catalog, []), []);
    }

    public IReadOnlyList<Diagnostic> Refused(string text)
    {
        var stop = Assert.Throws<MergeException>(() => Plan(text).Dispose());
        Assert.True(stop.WrongUsage);
        return stop.Diagnostics;
    }

    /// <summary>The bytes of a point: with the options the search would merge it with.</summary>
    public static IReadOnlyDictionary<string, byte[]> Candidate(PlannedSpace planned, IReadOnlyList<double> point)
    {
        var options = planned.Candidates.At(point);
        return Runs.Of(planned.Plan with
        {
            Tensors = [.. planned.Plan.Tensors.Select(t => t.IsCopied ? t : t with { Options = options(t) })],
        }).Sink.Bytes;
    }

    /// <summary>The bytes <c>merge run</c> makes of a recipe in a folder beside the models.</summary>
    public IReadOnlyDictionary<string, byte[]> Run(string text)
    {
        var path = Path.Combine(Root, "out", "best.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeParser.Parse(path, text), PlanRequest.DefaultMaxShardBytes);
        Assert.Empty(plan.Warnings);
        return Runs.Of(plan).Sink.Bytes;
    }

    private static float[] Values(int seed, int tensor) =>
        [.. Enumerable.Range(0, 8).Select(i => MathF.Sin((seed * 31) + (tensor * 7) + i))];
}
