using Merge.Search;

namespace Host.Tests.Search;

/// <summary>What a recipe makes before anything of it is searched.</summary>
public sealed class AsWrittenTests : IDisposable
{
    private const string Search = "search: {searcher: cma-es}\n";

    private readonly OpenRecipe _open = new();

    public void Dispose() => _open.Dispose();

    [Theory]
    [InlineData("merge_method: linear\nmodels: [a, b]\nparameters: {weight: 0.7}\n")]
    [InlineData("merge_method: task_arithmetic\nbase_model: base\nmodels: [a, b]\nparameters: {weight: 0.5}\n")]
    [InlineData("merge_method: lcsc\nmodels: [a, {model: b, parameters: {coefficient: 0.5}}]\n")]
    public void The_mean_of_all_models_is_called_so_however_it_is_written(string recipe)
    {
        using var planned = _open.Plan(recipe + Search);
        Assert.Equal("the recipe as written (the uniform average)", new AsWritten(planned).Name);
    }

    [Theory]
    [InlineData("merge_method: linear\nmodels: [a, {model: b, parameters: {weight: 0.6}}]\nparameters: {weight: 0.7}\n")]
    [InlineData("merge_method: task_arithmetic\nbase_model: base\nmodels: [a, b]\nparameters: {weight: 0.4}\n")]
    [InlineData("merge_method: linear\nmodels: [a, b]\nparameters: {weight: [{filter: mlp, value: 1}, {value: 2}], normalize: false}\n")]
    public void Nothing_else_is(string recipe)
    {
        using var planned = _open.Plan(recipe + Search);
        var written = new AsWritten(planned);
        Assert.Equal(("the recipe as written", (string?)null), (written.Name, written.Lacks));
    }

    [Fact]
    public void One_that_gives_no_required_value_says_which_and_begins_with_the_mean()
    {
        using var planned = _open.Plan("merge_method: linear\nmodels: [a, b]\n" + Search);
        var written = new AsWritten(planned);
        Assert.Equal("weight", written.Lacks);
        Assert.True(written.BeginsUniform);
        using var other = _open.Plan("merge_method: task_arithmetic\nbase_model: base\nmodels: [a, b]\n" + Search);
        Assert.False(new AsWritten(other).BeginsUniform);
    }

    [Theory]
    [InlineData("merge_method: linear\nmodels: [{model: a, parameters: {weight: 0}}, b]\nparameters: {weight: 2}\n", 1)]
    [InlineData("merge_method: task_arithmetic\nbase_model: base\nmodels: [a, b]\nparameters: {weight: 0}\n", 2)]
    public void One_that_is_a_single_model_says_which(string recipe, int only)
    {
        using var planned = _open.Plan(recipe + Search);
        Assert.Equal(only, new AsWritten(planned).Only);
    }

    [Fact]
    public void It_is_a_point_where_that_makes_the_same_and_else_a_candidate_of_its_own()
    {
        using var planned = _open.Plan("merge_method: wise-ft\nbase_model: base\nmodels: [a]\nparameters: {alpha: 0.25}\n" + Search);
        var written = new AsWritten(planned);
        Assert.True(written.IsAt([0.25]));
        Assert.False(written.IsAt([0.5]));
        Assert.Equal([0.25], written.ToScore.Point);
        // Another value for every layer is no point of a space with one number.
        using var gradient = _open.Plan("merge_method: wise-ft\nbase_model: base\nmodels: [a]\nparameters: {alpha: [0.25, 1]}\n" + Search);
        Assert.Same(PointToScore.AsWritten, new AsWritten(gradient).ToScore);
    }
}
