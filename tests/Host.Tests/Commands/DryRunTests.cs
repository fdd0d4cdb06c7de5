using System.Text.Json.Nodes;
using Host.Tests.Planning;
using Merge.Commands;

namespace Host.Tests.Commands;

public sealed class DryRunTests : IDisposable
{
    private readonly TestModels _models = new();

    public DryRunTests()
    {
        _models.Write("a", SmallModels.Config(3), SmallModels.Llama(3, 1));
        _models.Write("b", SmallModels.Config(3), SmallModels.Llama(3, 2));
        File.WriteAllText(_models["r.yaml"], """
            merge_method: slerp
            base_model: a
            slices:
              - sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 2]}]
              - sources: [{model: a, layer_range: [1, 3]}, {model: b, layer_range: [1, 3]}]
            parameters:
              t:
                - filter: mlp
                  value: [0, 1]
                - value: 0.5
            """);
    }

    public void Dispose() => _models.Dispose();

    private static async Task<(int Code, string Out)> Run(params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var plugins = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));
        var code = await CommandLine.RunAsync([.. words, "--plugins", plugins], new Terminal(output, error));
        return (code, output.ToString() + error);
    }

    [Fact]
    public async Task It_prints_values_with_their_lines_layers_bytes_and_writes_nothing()
    {
        var before = Directory.GetFileSystemEntries(_models.Root).Length;
        var (code, text) = await Run("run", _models["r.yaml"], _models["out"], "--dry-run");
        Assert.Equal(0, code);
        Assert.Matches(@"t +0 to 1 \(2 values\) +line 9 +4 +model\.layers\.N\.mlp\.up_proj\.weight", text);
        Assert.Matches(@"t +0\.5 +line 10 +11 ", text);
        Assert.Matches(@"model\.layers\.2 to 3 +b 1 to 2 and base a 1 to 2", text);
        Assert.Contains("passes  at least 2", text);
        Assert.Contains("config  rewritten", text);
        Assert.Contains("model.safetensors", text);
        Assert.Equal(before, Directory.GetFileSystemEntries(_models.Root).Length);
    }

    [Fact]
    public async Task Tensors_that_are_not_named_are_counted_one_by_one()
    {
        File.WriteAllText(_models["u.yaml"], "merge_method: linear\nmodels: [a, b]\nparameters: {weight: 0.5}\n");
        var (_, text) = await Run("run", _models["u.yaml"], "--dry-run");
        var row = System.Text.RegularExpressions.Regex.Match(text, @"weight +a +0\.5 +line 3 +(?<all>\d+) +(?<named>.*) and (?<more>\d+) more");
        // Three layers: a name with a layer's number in it stands for three tensors.
        var named = row.Groups["named"].Value.Split(", ").Sum(n => n.Contains(".N.") ? 3 : 1);
        Assert.Equal(int.Parse(row.Groups["all"].Value), named + int.Parse(row.Groups["more"].Value));
    }

    [Fact]
    public async Task Json_has_every_tensor_with_its_inputs_and_values()
    {
        var (code, text) = await Run("run", _models["r.yaml"], "--dry-run", "--json");
        Assert.Equal(0, code);
        var json = JsonNode.Parse(text)!;
        Assert.Equal(15, json["tensors"]!.AsArray().Count);
        var tensor = json["tensors"]!.AsArray().Single(t => (string)t!["name"]! == "model.layers.3.mlp.up_proj.weight")!;
        Assert.Equal(["model.layers.2.mlp.up_proj.weight", "model.layers.2.mlp.up_proj.weight"],
            tensor["inputs"]!.AsArray().Select(i => (string)i!["name"]!));
        Assert.Equal((1.0, 9), ((double)tensor["values"]![0]!["value"]!, (int)tensor["values"]![0]!["line"]!));
    }

    [Fact]
    public async Task Without_it_the_folder_must_be_given()
    {
        var (code, text) = await Run("run", _models["r.yaml"]);
        Assert.Equal(2, code);
        Assert.Contains("OUT, the folder to make, is missing", text);
    }
}
