using Merge.Recipes;

namespace Host.Tests.Recipes;

public sealed class StagedRecipeTests
{
    private const string Three = """
        name: both
        merge_method: linear
        models: [left, right]
        ---
        # the left one
        name: left
        merge_method: linear
        models: [a, b]
        ---
        name: right
        merge_method: slerp
        base_model: left
        models: [b]
        ---
        merge_method: linear
        models: [both, a]
        """;

    [Fact]
    public void Merges_run_after_what_they_use_else_in_the_order_of_the_file()
    {
        var recipe = StagedRecipe.Parse("r.yaml", Three);
        Assert.Equal(["left", "right", "both"], recipe.Names);
        Assert.Equal(["left", "right", "both"], recipe.Final!.Stages.Select(s => s.Name!.Text));
        Assert.Equal(["left"], recipe.Stages[1].Stages.Select(s => s.Name!.Text));
        Assert.Equal(["left", "right"], recipe.Stages[2].Stages.Select(s => s.Name!.Text));
        Assert.Equal(15, recipe.Final.MethodLine);
        Assert.Equal(Three, recipe.Final.Text);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void The_text_of_a_merge_is_its_own_and_that_of_what_it_builds_on(string newLine)
    {
        var recipe = StagedRecipe.Parse("r.yaml", Three.ReplaceLineEndings(newLine));
        var left = "# the left one\nname: left\nmerge_method: linear\nmodels: [a, b]\n";
        Assert.Equal(left, recipe.Stages[0].Text.ReplaceLineEndings("\n"));
        Assert.Equal(
            left + "---\nname: right\nmerge_method: slerp\nbase_model: left\nmodels: [b]\n",
            recipe.Stages[1].Text.ReplaceLineEndings("\n"));
        Assert.Equal(["left", "right"], StagedRecipe.Parse("again", recipe.Stages[1].Text).Names);
    }

    [Fact]
    public void Slices_and_modules_use_merges_too()
    {
        var recipe = StagedRecipe.Parse("r.yaml", """
            merge_method: passthrough
            slices:
              - sources: [{model: one, layer_range: [0, 2]}]
              - sources: [{model: a, layer_range: [0, 2]}]
                base_model: two
            ---
            {name: two, merge_method: passthrough, modules: {text: {models: [one]}}}
            ---
            {name: one, merge_method: linear, models: [a]}
            """);
        Assert.Equal(["one", "two"], recipe.Names);
    }

    [Fact]
    public void Without_an_unnamed_merge_there_is_no_final_one()
    {
        var recipe = StagedRecipe.Parse("r.yaml", Merge("x", "a") + "---\n" + Merge("y", "x"));
        Assert.Null(recipe.Final);
        Assert.Equal(["x", "y"], recipe.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("---\n")]
    public void One_merge_is_final_whatever_its_name(string end)
    {
        var text = Merge("x", "x") + end;
        var recipe = StagedRecipe.Parse("r.yaml", text);
        Assert.Empty(recipe.Stages);
        Assert.Equal(text, recipe.Final!.Text);
        Assert.Empty(recipe.Final.Stages);
    }

    [Fact]
    public void A_name_given_twice_is_told_with_both_lines() => Assert.Equal(
        "r.yaml, line 5: the name 'x' is taken: line 1 gives it. Give each merge a name of its own.",
        Assert.Single(Errors(Merge("x", "a") + "---\n" + Merge("x", "a"))));

    [Fact]
    public void A_second_merge_without_a_name_is_refused() => Assert.StartsWith(
        "r.yaml, line 5: a second merge without 'name'; the first stands in line 1",
        Assert.Single(Errors("merge_method: m\n\nmodels: [a]\n---\nmerge_method: m\nmodels: [a]\n")));

    [Theory]
    [InlineData("x", "line 3: 'x' is made of itself: it uses 'x' (line 3)")]
    [InlineData("y", "uses 'x' (line 7), which uses 'y' (line 3)")]
    public void A_merge_made_of_itself_is_told_with_the_way_round(string used, string expected)
    {
        var error = Assert.Single(Errors(Merge("x", used) + "---\n" + Merge("y", "x") + "---\n" + Merge("z", "y")));
        Assert.Contains(expected, error);
    }

    [Theory]
    [InlineData("p/q", "path separator")]
    [InlineData("'p\\q'", "path separator")]
    [InlineData("'run-*'", "one of * ? @ + :")]
    [InlineData("../up", "path separator")]
    [InlineData("..", "begins with '.'")]
    [InlineData("x.partial", "ends in '.partial'")]
    public void A_name_that_is_no_plain_word_is_refused(string name, string found)
    {
        var error = Assert.Single(Errors(Merge(name, "a") + "---\n" + Merge("y", "a")));
        Assert.StartsWith("r.yaml, line 1: 'name' is ", error);
        Assert.Contains(found, error);
    }

    [Fact]
    public void What_is_wrong_in_any_merge_is_told_at_once_with_lines_of_the_file()
    {
        var errors = Errors("name: x\nmerge_method: m\nmodles: [a]\n---\nmerge_method: m\nmodels: [x]\nseed: y\n");
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 3: there is no key 'modles'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 7: 'seed' is 'y'"));
    }

    [Fact]
    public void An_anchor_ends_with_its_document() => Assert.Contains(
        "'*m' stands for nothing", Assert.Single(Errors("name: x\nmerge_method: &m linear\nmodels: [a]\n---\nmerge_method: *m\n")));

    private static string Merge(string name, string model) => $"name: {name}\nmerge_method: linear\nmodels: [{model}]\n";

    private static IReadOnlyList<string> Errors(string text) => Expect.Errors(() => StagedRecipe.Parse("r.yaml", text));
}
