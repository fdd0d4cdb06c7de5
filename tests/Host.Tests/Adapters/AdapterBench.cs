using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>A folder of models and adapters, with the installed methods: recipes and extractions are run in it.</summary>
internal sealed class AdapterBench : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"))));

    public string this[string name] => _folder[name];

    public void Dispose()
    {
        _catalog.Dispose();
        _folder.Dispose();
    }

    public TinyAdapter New(string name, ulong seed = 1) => new(_folder[name], seed);

    public string Write(string path, params (string Name, long[] Shape)[] tensors) => Write(path, 1, tensors);

    /// <summary>A file of random values.</summary>
    public string Write(string path, ulong seed, params (string Name, long[] Shape)[] tensors)
    {
        WrittenTensors.Write(_folder[path], tensors.Select((t, i) =>
            (t.Name, t.Shape, WrittenTensors.Random((seed * 100) + (ulong)i, t.Shape.Aggregate(1L, (p, s) => p * s)))));
        return _folder[path];
    }

    public string WriteText(string path, string text) => _folder.WriteText(path, text);

    public MergePlan Plan(RecipePlanner planner, string recipe) =>
        planner.Plan(RecipeParser.Parse(_folder.WriteText("recipe.yaml", recipe), recipe), long.MaxValue);

    public RecipePlanner Planner(OnMismatch mismatch = OnMismatch.Error) => new(_catalog, []) { OnMismatch = mismatch };

    /// <summary>Runs a recipe into a folder.</summary>
    /// <returns>The warnings of its plan.</returns>
    public IReadOnlyList<Diagnostic> Run(string recipe, string output)
    {
        using var planner = Planner();
        var plan = Plan(planner, recipe);
        Run(plan, output);
        return plan.Warnings;
    }

    /// <summary>What <c>merge extract tuned base</c> does.</summary>
    /// <returns>The names of tensors whose shapes differ.</returns>
    public IReadOnlyList<string> Extract(
        string output, string[]? targets = null, string[]? saved = null, (string, int)[]? ranks = null, bool fanInFanOut = false)
    {
        Extract(output, targets, saved, ranks, fanInFanOut, out var unlike);
        return unlike;
    }

    /// <returns>The warnings of its plan.</returns>
    public IReadOnlyList<Diagnostic> ExtractWarned(string output, string[] saved) => Extract(output, null, saved, null, false, out _);

    private IReadOnlyList<Diagnostic> Extract(
        string output, string[]? targets, string[]? saved, (string, int)[]? ranks, bool fanInFanOut, out IReadOnlyList<string> unlike)
    {
        using var planner = Planner(OnMismatch.LeaveOut);
        var whole = Plan(planner, "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: tuned, parameters: {weight: 1}}]\n");
        var plan = Extraction.Of(
            whole, new(new RankChoice(4, null), ranks ?? [], targets ?? [], saved ?? [], fanInFanOut, DType.F32, "base"), out _, out unlike);
        Run(plan, output);
        return plan.Warnings;
    }

    public MergeException Refused(string recipe) => Assert.ThrowsAny<MergeException>(() => Run(recipe, "refused"));

    public static float[] Delta(Adapter adapter, string module) => WrittenTensors.Values(
        AdaptedTensor.TaskVector(module, [(adapter.Modules[module], 1)], new RecentFactors()));

    public static void IsNear(IEnumerable<double> expected, float[] read, double tolerance = 1e-6)
    {
        double[] all = [.. expected];
        Assert.InRange(Math.Sqrt(all.Zip(read, (e, r) => (e - r) * (e - r)).Sum() / all.Sum(e => e * e)), 0, tolerance);
    }

    private void Run(MergePlan plan, string output) => MergeToFolder.Run(
        plan, _folder[output], true, false, new RunSettings { Threads = 2 }, new RunProgress(), default);
}
