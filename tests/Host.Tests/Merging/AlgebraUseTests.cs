using System.Text.Json;
using Host.Tests.Planning;
using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class AlgebraUseTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    private string Final => _models["out"];

    private string JournalPath => Path.Combine(Final + ".partial", "journal.jsonl");

    [Fact]
    public void The_manifest_names_the_linear_algebra_where_any_was_used_and_only_there()
    {
        var model = _models.Add("a", Shaped("a", DType.F32, 6, 5), Shaped("b", DType.F32, 7));
        var summary = MergeToFolder.Run(Plan(model), Final, false, false, Runs.TwoThreads, new(), default);
        Assert.Equal(LinearAlgebraChoice.OfProcess.Name, summary.LinearAlgebra);
        Assert.Equal(LinearAlgebraChoice.OfProcess.Name, Manifest().GetProperty("linear_algebra").GetString());
        Directory.Delete(Final, recursive: true);
        var plain = Runs.Plan(new OneLine(_ => TensorMerge.Copy(0)), null, model);
        Assert.Null(MergeToFolder.Run(plain, Final, false, false, Runs.TwoThreads, new(), default).LinearAlgebra);
        Assert.False(Manifest().TryGetProperty("linear_algebra", out _));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public void What_another_linear_algebra_computed_is_computed_again_on_resuming(bool byAnother, int takenOver)
    {
        var model = _models.Add(
            "a", Shaped("a", DType.F32, 6, 5), Shaped("b", DType.F32, 7), Shaped("c", DType.F32, 4, 4));
        MergeToFolder.Run(Plan(model), Final, false, false, Runs.TwoThreads, new(), default);
        var expected = File.ReadAllBytes(Path.Combine(Final, "model.safetensors"));
        Directory.Delete(Final, recursive: true);
        using (var stop = new CancellationTokenSource())
        {
            Assert.Throws<OperationCanceledException>(() => MergeToFolder.Run(
                Plan(model, t => { if (t == "c") stop.Cancel(); }), Final, false, false, new() { Threads = 1 }, new(), stop.Token));
        }
        if (byAnother)
        {
            var journal = File.ReadAllText(JournalPath);
            Assert.Contains(LinearAlgebraChoice.OfProcess.Name, journal);
            File.WriteAllText(JournalPath, journal.Replace(LinearAlgebraChoice.OfProcess.Name, "another"));
        }
        var progress = new RunProgress();
        MergeToFolder.Run(Plan(model), Final, false, false, Runs.TwoThreads, progress, default);
        Assert.Equal(takenOver, progress.TensorsResumed);
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(Final, "model.safetensors")));
        Assert.Equal(LinearAlgebraChoice.OfProcess.Name, Manifest().GetProperty("linear_algebra").GetString());
    }

    [Fact]
    public void A_NaN_in_a_model_is_the_users_to_find_with_the_tensor_named()
    {
        var values = Enumerable.Repeat(1f, 16).ToArray();
        values[6] = float.NaN;
        var model = _models.Add("a", Of("w", values) with { Shape = [4, 4] });
        var problem = Runs.Stopped(Plan(model));
        Assert.Equal((Actor.User, "w"), (problem.Actor, problem.Where));
        Assert.Contains("a NaN in row 1, column 2", problem.Found);
        Assert.Equal(
            $"'w' of {_models["a/model.safetensors"]} holds a NaN or an infinity: leave that model out, or take a sound copy.", problem.Fix);
    }

    [Fact]
    public void Of_several_models_only_those_that_hold_a_NaN_are_named()
    {
        var values = Enumerable.Repeat(1f, 16).ToArray();
        var sound = _models.Add("sound", Of("w", [.. values]) with { Shape = [4, 4] });
        values[6] = float.PositiveInfinity;
        var broken = _models.Add("broken", Of("w", values) with { Shape = [4, 4] });
        var fix = Runs.Stopped(PolarOf(b => b.Models[0] + b.Models[1], sound, broken)).Fix!;
        Assert.StartsWith($"'w' of {_models["broken/model.safetensors"]} holds", fix);
        fix = Runs.Stopped(PolarOf(b => b.Models[0] / 0f, sound)).Fix!;
        Assert.StartsWith("No input of this tensor holds a NaN or an infinity", fix);
    }

    private static MergePlan PolarOf(Func<Block, TensorExpr> value, params PlannedModel[] models) => Runs.Plan(
        new OneLine(async tensor =>
        {
            var polar = tensor.LinearAlgebra.Polar(await tensor.Materialize(value));
            return TensorMerge.From(b => b.View(polar));
        }),
        null,
        models);

    private JsonElement Manifest() => JsonElement.Parse(File.ReadAllText(Path.Combine(Final, Merge.Merging.Manifest.FileName)));

    /// <summary>The polar factor of each matrix.</summary>
    private static MergePlan Plan(PlannedModel model, Action<string>? at = null) => Runs.Plan(
        new OneLine(async tensor =>
        {
            at?.Invoke(tensor.Info.Name);
            if (tensor.Info.Rank != 2)
                return TensorMerge.Copy(0);
            var polar = tensor.LinearAlgebra.Polar(await tensor.Materialize(b => b.Models[0]));
            return TensorMerge.From(b => b.View(polar));
        }),
        null,
        model);
}
