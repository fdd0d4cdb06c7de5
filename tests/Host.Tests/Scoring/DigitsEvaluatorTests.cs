using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Plugins;
using Merge.Samples.Digits;
using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class DigitsEvaluatorTests : IDisposable
{
    private static readonly DigitsData Data = DigitsData.Load(DigitsData.DefaultFolder);

    private static readonly DigitsModel Model = Trained();

    private readonly Lab _lab = new([.. Model.Tensors.Select(t => new TestTensor(t.Key, DType.F32,
        [.. t.Value.Shape.Select(s => (long)s)], MemoryMarshal.AsBytes(t.Value.Values.AsSpan()).ToArray()))]);

    private readonly PluginCatalog _plugins =
        PluginCatalog.Load(PluginFolders.At(Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins/digits"))));

    public void Dispose()
    {
        _lab.Dispose();
        _plugins.Dispose();
    }

    [Theory]
    [InlineData("selection")]
    [InlineData("report")]
    public async Task It_scores_tensors_in_memory_image_by_image(string split)
    {
        var images = split == "report" ? Data.Report : Data.Selection;
        var score = await _lab.Score(_lab.Open("{plugin: digits}", catalog: _plugins), split: split);
        Assert.Equal(ScoreStatus.Ok, score.Status);
        Assert.Equal(Accuracy.ExampleScores(Model, images), score.Examples["accuracy"]);
        Assert.Equal(score.Examples["accuracy"].Average(), score.Objective);
        Assert.Equal((images.Count, score.Examples["loss"].Average()), (score.Examples["loss"].Count, score.Metrics["loss"]));
        Assert.False(Directory.Exists(Path.Combine(_lab.Folder, "candidates")));
    }

    [Fact]
    public async Task A_network_that_says_nothing_has_the_loss_of_ten_equal_guesses()
    {
        using var silent = new Lab([.. DigitsModel.Layout.Select(t => new TestTensor(t.Name, DType.F32,
            [.. t.Shape.Select(s => (long)s)], new byte[4 * t.Shape.Aggregate(1, (a, b) => a * b)]))]);
        var score = await silent.Score(silent.Open("{plugin: digits}", "{minimize: loss}", _plugins));
        Assert.Equal(-Math.Log(10), score.Objective!.Value, 1e-6);
    }

    [Fact]
    public async Task Another_model_or_split_fails_the_trial_with_the_reason()
    {
        using var other = new Lab();
        Assert.Equal("the candidate is no digits classifier; expected a tensor 'layers.0.weight' of shape [64, 64]",
            (await other.Score(other.Open("{plugin: digits}", catalog: _plugins))).Error);
        Assert.Equal("the digits have no split 'train'; expected selection or report",
            (await _lab.Score(_lab.Open("{plugin: digits}", catalog: _plugins), split: "train")).Error);
    }

    [Theory]
    [InlineData("{plugin: digit}", "there is no evaluator plugin 'digit'; expected digits. Did you mean 'digits'?")]
    [InlineData("{plugin: digits, options: {dta: x}}", "line 3: the evaluator 'digits' has no option 'dta'; expected data. Did you mean 'data'?")]
    [InlineData("{plugin: digits, options: {data: nowhere}}", "Give the folder of optdigits.tra and optdigits.tes as the option 'data'.")]
    public void A_wrong_plugin_or_option_is_told_before_anything_is_merged(string evaluate, string message) =>
        Assert.Contains(message, Assert.Throws<MergeException>(() => _lab.Open(evaluate, catalog: _plugins)).Message, StringComparison.Ordinal);

    [PythonFact]
    public async Task The_python_sample_scores_the_same_as_command_and_as_worker()
    {
        var script = Path.Combine(SamplesFolder, "evaluators", "digits_eval.py");
        var expected = Accuracy.ExampleScores(Model, Data.Report);
        using var worker = _lab.Open($"{{worker: [python3, {script}, --worker], environment: {{PYTHONDONTWRITEBYTECODE: 1}}}}");
        Assert.Equal(expected, (await _lab.Score(worker, split: "report")).Examples["accuracy"]);
        Assert.Equal("the worker says: KeyError: 'test'", (await _lab.Score(worker, split: "test")).Error);
        worker.Dispose();
        var command = _lab.Open($"{{command: [python3, {script}, '{{candidate}}', --split, '{{split}}']}}");
        Assert.Equal(expected, (await _lab.Score(command, split: "report")).Examples["accuracy"]);
    }

    private static string SamplesFolder { get; } = Path.GetFullPath(Path.Combine(Here(), "../../../samples"));

    private static string Here([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    private static DigitsModel Trained() => Trainer.Train(null, Data.Train.Rows(0, 300), new() { Seed = 1, Epochs = 2 });
}
