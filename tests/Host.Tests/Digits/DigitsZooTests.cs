using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Merge.Samples.Digits;

namespace Host.Tests.Digits;

public class DigitsZooTests : IClassFixture<DigitsZooTests.Trained>
{
    public sealed class Trained
    {
        public DigitsData Data { get; } = DigitsData.Load(DigitsData.DefaultFolder);

        public IReadOnlyList<ZooModel> Zoo { get; }

        public Trained() => Zoo = DigitsZoo.Train(Data.Train);
    }

    private readonly DigitsData data;
    private readonly IReadOnlyList<ZooModel> zoo;

    public DigitsZooTests(Trained trained) => (data, zoo) = (trained.Data, trained.Zoo);

    [Fact]
    public void Training_gives_the_same_bits_again_with_another_number_of_threads()
    {
        var start = zoo.Single(m => m.Name == DigitsZoo.Base).Model;
        foreach (var (name, options) in DigitsZoo.FineTunes)
        {
            var alone = Trainer.Train(start, data.Train, options);
            Assert.Equal(DigestOf(alone), DigestOf(zoo.Single(m => m.Name == name).Model));
        }
    }

    [Fact]
    public void The_base_has_the_same_bits_on_every_machine() =>
        Assert.Equal("444f197ab4cd8e19b890493c97f50cade5e8d00361defb666baa5273f91b455a", DigestOf(zoo[0].Model));

    [Fact]
    public void Names_are_unique_and_the_run_is_in_order()
    {
        Assert.Equal(zoo.Count, zoo.Select(m => m.Name).Distinct().Count());
        var run = zoo.Where(m => m.Name.StartsWith(DigitsZoo.Trajectory, StringComparison.Ordinal)).ToArray();
        Assert.Equal(Enumerable.Range(1, 18).Select(i => 212 * i), run.Select(m => m.Step));
        Assert.All(run, m => Assert.Equal(DigitsZoo.Trajectory + m.Step, m.Name));
    }

    [Fact]
    public void Every_checkpoint_and_its_moments_have_the_layout()
    {
        foreach (var tensors in zoo.SelectMany(m => new[] { m.Model.Tensors, m.SecondMoments.Tensors }))
            Assert.Equal(
                DigitsModel.Layout.Select(t => (t.Name, string.Join('x', t.Shape))),
                tensors.Select(t => (t.Key, string.Join('x', t.Value.Shape))));
        Assert.All(zoo, m => Assert.All(m.SecondMoments.Tensors["head.weight"].Values, v => Assert.True(v > 0)));
    }

    [Fact]
    public void Fine_tunes_beat_the_base_and_specialists_know_their_own_digits_only()
    {
        var start = Accuracy.Of(zoo[0].Model, data.Report);
        foreach (var name in DigitsZoo.FineTunes.Keys)
            Assert.True(Accuracy.Of(Model(name), data.Report) > start, name);

        foreach (var (name, digits) in DigitsZoo.Specialists)
        {
            var own = data.Report.Only(digits);
            var others = data.Report.Only([.. Enumerable.Range(0, 10).Except(digits)]);
            Assert.True(Accuracy.Of(Model(name), own) > Accuracy.Of(zoo[0].Model, own), name);
            Assert.True(Accuracy.Of(Model(name), others) < Accuracy.Of(zoo[0].Model, others), name);
        }

        DigitsModel Model(string name) => zoo.Single(m => m.Name == name).Model;
    }

    [Fact]
    public void Example_scores_are_of_each_row_alone()
    {
        var scores = Accuracy.ExampleScores(zoo[0].Model, data.Report);
        Assert.Equal(Accuracy.Of(zoo[0].Model, data.Report), scores.Average());
        Assert.Contains(0.0, scores);
        for (var row = 0; row < 100; row++)
            Assert.Equal(scores[row], Accuracy.ExampleScores(zoo[0].Model, data.Report.Rows(row, row + 1)).Single());
    }

    [Fact]
    public void A_model_without_a_tensor_is_refused_by_its_name()
    {
        var broken = new DigitsModel(zoo[0].Model.Tensors.Where(t => t.Key != "norm.bias").ToDictionary());
        Assert.Contains("norm.bias", Assert.Throws<ArgumentException>(() => Accuracy.Of(broken, data.Report)).Message);
    }

    private static string DigestOf(DigitsModel model)
    {
        float[] values = [.. DigitsModel.Layout.SelectMany(t => model.Tensors[t.Name].Values)];
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(values)));
    }
}
