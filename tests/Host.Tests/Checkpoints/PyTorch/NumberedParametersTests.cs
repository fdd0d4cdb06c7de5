using Merge.Checkpoints;
using Merge.Checkpoints.PyTorch;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>An optimizer's numbered parameters get their names where these follow from order and shapes, and only there.</summary>
public sealed class NumberedParametersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Groups_with_and_without_decay_are_named_by_the_model_in_the_same_file() =>
        HasTheStateByName(PyTorchFixture.Path("groups.pt"));

    [Fact]
    public void An_optimizer_alone_is_named_by_the_PyTorch_model_in_its_folder()
    {
        Copy("groups_model.bin", "pytorch_model.bin");
        HasTheStateByName(Copy("groups_optimizer.pt", "optimizer.pt"));
    }

    [Fact]
    public void An_optimizer_alone_is_named_by_the_shards_in_its_folder()
    {
        Copy("groups_model.bin", "pytorch_model-00001-of-00001.bin");
        var names = string.Join(',', PyTorchNames("groups_model.bin").Select(n => $"\"{n}\":\"pytorch_model-00001-of-00001.bin\""));
        _folder.WriteText("pytorch_model.bin.index.json", $"{{\"weight_map\":{{{names}}}}}");
        HasTheStateByName(Copy("groups_optimizer.pt", "optimizer.pt"));
    }

    [Fact]
    public void Beside_safetensors_which_keep_no_order_an_optimizer_is_refused_with_the_way_out()
    {
        _folder.Write("model.safetensors", "w");
        _folder.WriteText("trainer_state.json", "{}");
        var message = TemporaryFolder.Refused(Copy("groups_optimizer.pt", "optimizer.pt")).Message;
        Assert.Contains("a safetensors file does not keep the model's order", message);
        Assert.Contains("param_names", message);
    }

    [Fact]
    public void Groups_that_fit_in_two_ways_are_refused()
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path("groups_of_twins.pt"));
        Assert.Equal(2, checkpoint.Tensors.Count);
        Assert.Empty(checkpoint.State);
        Assert.Contains("several ways to deal the model's 2 parameters out to the optimizer's 2 groups", checkpoint.StateProblem!.Found);
    }

    [Fact]
    public void The_optimizer_of_another_model_is_refused()
    {
        Copy("groups_model.bin", "pytorch_model.bin");
        var message = TemporaryFolder.Refused(Copy("optimizer.pt", "optimizer.pt")).Message;
        Assert.Contains("the optimizer has 5 parameters, and the model's state dict 7", message);
    }

    [Fact]
    public void A_parameter_of_another_shape_is_named()
    {
        var names = ParameterOrder.Match([[(0, [2, 3]), (1, [4])]], [new("a", [2, 3]), new("b", [5])], out var found);
        Assert.Null(names);
        Assert.StartsWith("'b' is [5], and none of the optimizer's 1 groups goes on", found);
    }

    [Fact]
    public void Groups_in_any_order_are_told_apart_by_shapes_that_alternate()
    {
        var names = ParameterOrder.Match(
            [[(7, [4]), (8, [5])], [(1, [2]), (2, [2])]], [new("a", [2]), new("b", [4]), new("c", [2]), new("d", [5])], out _);
        Assert.Equal([(1, "a"), (2, "c"), (7, "b"), (8, "d")], names!.Select(n => ((int)n.Key, n.Value)).Order());
    }

    [Fact]
    public void What_takes_too_long_to_tell_apart_counts_as_ambiguous()
    {
        var groups = Enumerable.Range(0, 100).Select(
            g => Enumerable.Range(0, 100).Select(i => ((100L * g) + i, (long[]?)[2])).ToArray());
        Assert.Null(ParameterOrder.Match(
            [.. groups], [.. Enumerable.Range(0, 10_000).Select(i => new ModelParameter($"{i}", [2]))], out var found));
        Assert.Contains("several ways", found);
    }

    private static void HasTheStateByName(string path)
    {
        using var expected = Checkpoint.Open(PyTorchFixture.Path("groups_by_name.pt"));
        using var actual = Checkpoint.Open(path);
        Assert.Equal(14, expected.State.Count);
        Assert.Equal(expected.State.Keys.Order(), actual.State.Keys.Order());
        foreach (var (name, tensor) in expected.State)
            Assert.Equal(PyTorchFixture.Bytes(tensor), PyTorchFixture.Bytes(actual.State[name]));
    }

    private static string[] PyTorchNames(string fixture)
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path(fixture));
        return [.. checkpoint.Tensors.Keys];
    }

    private string Copy(string fixture, string name)
    {
        File.Copy(PyTorchFixture.Path(fixture), _folder[name]);
        return _folder[name];
    }
}
