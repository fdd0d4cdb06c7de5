using System.Text.Json;
using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Ties;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Merge.TestPlugins.Strategies;

namespace Plugins.Tests.Golden;

/// <summary>One folder of <c>tests/Golden/cases</c>: what an independent implementation made of which inputs.</summary>
internal sealed class GoldenCase
{
    private static readonly string _root = Path.Combine(AppContext.BaseDirectory, "Golden");
    private readonly string _folder;
    private readonly JsonElement _case;

    public GoldenCase(string name)
    {
        _folder = Path.Combine(_root, "cases", name);
        _case = JsonElement.Parse(File.ReadAllText(Path.Combine(_folder, "case.json")));
        var theta0 = _case.GetProperty("base_model").GetString();
        Inputs = new MergeInputs([.. _case.GetProperty("models").EnumerateArray().Select(m => Input(m.GetString()!))])
        {
            Base = theta0 is null ? null : Input(theta0),
        };
    }

    public MergeInputs Inputs { get; }

    public Dictionary<string, ArrayTensor> Expected => GoldenFile.Read(Path.Combine(_folder, "expected.safetensors"));

    /// <summary>For a random method: <c>mean|NAME</c> and <c>std|NAME</c> over <see cref="Draws"/> draws.</summary>
    public Dictionary<string, ArrayTensor> Distribution => GoldenFile.Read(Path.Combine(_folder, "mc.safetensors"));

    public int Draws => _case.GetProperty("mc_draws").GetInt32();

    /// <summary>The mean share of a tensor's elements that a draw changes.</summary>
    public double ShareChanged(string tensor) =>
        _case.GetProperty("mc_fraction_changed").GetProperty(tensor).GetDouble();

    /// <summary>The strategy and its options, as the case gives them.</summary>
    public (MergeStrategy Strategy, object Options) Method() => _case.GetProperty("method").GetString() switch
    {
        "linear" => (new LinearMerge(), new LinearOptions
        {
            Weight = PerModel("weight"),
            Normalize = Global("normalize")!.Value.GetBoolean(),
        }),
        "task_arithmetic" => (new TaskArithmeticMerge(), new TaskArithmeticOptions
        {
            Weight = PerModel("weight"),
            Normalize = Global("normalize")?.GetBoolean() ?? false,
        }),
        "ties" => (new TiesMerge(), new TiesOptions
        {
            Weight = PerModel("weight"),
            Density = PerModel("density"),
            Normalize = Global("normalize")?.GetBoolean() ?? true,
            Lambda = Global("lambda")?.GetDouble() ?? 1,
        }),
        "della" => (new DellaMerge(), new DellaOptions
        {
            Weight = PerModel("weight"),
            Density = PerModel("density"),
            Epsilon = PerModel("epsilon"),
        }),
        "dare_linear" => (new DareLinearMerge(), Dare()),
        "dare_ties" => (new DareTiesMerge(), Dare()),
        "breadcrumbs" => (new BreadcrumbsMerge(), Breadcrumbs()),
        "breadcrumbs_ties" => (new BreadcrumbsTiesMerge(), Breadcrumbs()),
        var method => throw new NotSupportedException(method),
    };

    /// <summary>A file by its path below <c>tests/Golden</c>.</summary>
    public static Dictionary<string, ArrayTensor> Input(string path) => GoldenFile.Read(Path.Combine(_root, path));

    /// <summary>For a random method: the draw behind the expected values of each model, 1 where kept.</summary>
    public IReadOnlyDictionary<string, ArrayTensor>[] Masks()
    {
        var masks = GoldenFile.Read(Path.Combine(_folder, "masks.safetensors"));
        return [.. _case.GetProperty("models").EnumerateArray().Select(m => MasksOf(m.GetString()!))];

        IReadOnlyDictionary<string, ArrayTensor> MasksOf(string model) => masks
            .Where(m => m.Key.StartsWith(model + "|", StringComparison.Ordinal))
            .ToDictionary(m => m.Key[(model.Length + 1)..], m => m.Value);
    }

    private DareOptions Dare() => new() { Weight = PerModel("weight"), Density = PerModel("density") };

    private BreadcrumbsOptions Breadcrumbs() => new()
    {
        Weight = PerModel("weight"),
        Density = PerModel("density"),
        Gamma = PerModel("gamma"),
    };

    private PerModel<double> PerModel(string name) =>
        new([.. _case.GetProperty("model_parameters").GetProperty(name).EnumerateArray().Select(v => v.GetDouble())]);

    private JsonElement? Global(string name) =>
        _case.GetProperty("parameters").TryGetProperty(name, out var value) ? value : null;
}
