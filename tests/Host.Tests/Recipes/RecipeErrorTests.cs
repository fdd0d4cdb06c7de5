using Merge.Recipes;

namespace Host.Tests.Recipes;

public class RecipeErrorTests
{
    private const string Whole = "merge_method: linear\nmodels: [a]\n";

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("---\n")]
    public void An_empty_recipe_is_refused(string text) => Assert.Contains("the recipe is empty", Expect.Error(text));

    [Theory]
    [InlineData("- a\n- b\n", "the recipe is a list")]
    [InlineData("\nlinear", "line 2: the recipe is 'linear'")]
    public void A_recipe_that_is_no_mapping_is_refused(string text, string found) => Assert.Contains(found, Expect.Error(text));

    [Fact]
    public void A_missing_method_is_told() =>
        Assert.StartsWith("r.yaml, line 1: 'merge_method' is missing", Expect.Error("models: [a]\n"));

    [Fact]
    public void Missing_models_are_told() =>
        Assert.StartsWith("r.yaml, line 1: 'models' is missing", Expect.Error("merge_method: linear\n"));

    [Fact]
    public void An_unknown_key_is_told_with_the_nearest() => Assert.Equal(
        "r.yaml, line 3: there is no key 'bsae_model'; expected one of merge_method, models, slices, modules, base_model, " +
        "parameters, dtype, out_dtype, seed, name, metrics, adapter, tokenizer, tokenizer_source, chat_template, search, evaluate, " +
        "objective, splits. Did you mean 'base_model'?", Expect.Error(Whole + "bsae_model: b\n"));

    [Theory]
    [InlineData("slices", "[{sources: [{model: a, layer_range: [0, 2]}]}]")]
    [InlineData("modules", "{text_decoder: {models: [a]}}")]
    public void Models_beside_slices_or_modules_are_refused(string key, string value) => Assert.Equal(
        $"r.yaml, line 3: '{key}' stands beside 'models' of line 2; expected one of models, slices, modules",
        Expect.Error(Whole + $"{key}: {value}\n"));

    [Theory]
    [InlineData("[]", "'slices' is an empty list")]
    [InlineData("a", "'slices' is 'a'")]
    [InlineData("[a]", "a slice is 'a'")]
    [InlineData("[{source: []}]", "Did you mean 'sources'?")]
    [InlineData("[{parameters: {t: 1}}]", "'sources' is missing")]
    [InlineData("[{sources: []}]", "'sources' is an empty list")]
    [InlineData("[{sources: [a]}]", "a source is 'a'")]
    [InlineData("[{sources: [{model: a}]}]", "'layer_range' is missing")]
    [InlineData("[{sources: [{model: a, layer_range: 3}]}]", "'layer_range' is '3'")]
    [InlineData("[{sources: [{model: a, layer_range: [1]}]}]", "'layer_range' is a list")]
    [InlineData("[{sources: [{model: a, layer_range: [-1, 2]}]}]", "'layer_range' is '[-1, 2]'")]
    [InlineData("[{sources: [{model: a, layer_range: [2, 2]}]}]", "'layer_range' is '[2, 2]'")]
    [InlineData("[{sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 3]}]}]",
        "'b' gives 3 layers ([0, 3]), 'a' 2 layers ([0, 2]); expected as many layers from every source of a slice")]
    public void A_wrong_slice_is_told_with_its_line(string slices, string found)
    {
        var errors = Expect.Errors(() => RecipeParser.Parse("r.yaml", $"merge_method: passthrough\nslices:\n  {slices}\n"));
        Assert.All(errors, e => Assert.Matches("^r.yaml, line [23]: ", e));
        Assert.Contains(errors, e => e.Contains(found));
    }

    [Theory]
    [InlineData("{}", "'modules' is empty")]
    [InlineData("[a]", "'modules' is a list")]
    [InlineData("{text: a}", "module 'text' is 'a'")]
    [InlineData("{text: {parameters: {t: 1}}}", "module 'text' has neither 'models' nor 'slices'")]
    [InlineData("{text: {models: [a], slices: [{sources: [{model: a, layer_range: [0, 1]}]}]}}", "module 'text' has both 'models' and 'slices'")]
    [InlineData("{text: {modls: [a], models: [a]}}", "a module has no key 'modls'")]
    public void A_wrong_module_is_told_with_its_line(string modules, string found)
    {
        var error = Expect.Error($"merge_method: linear\nmodules:\n  {modules}\n");
        Assert.Matches("^r.yaml, line [23]: ", error);
        Assert.Contains(found, error);
    }

    [Fact]
    public void A_duplicate_key_is_told_with_both_lines() => Assert.Equal(
        "r.yaml, line 3: 'models' is given twice. It stands in line 2 already: keep one.", Expect.Error(Whole + "models: [b]\n"));

    [Fact]
    public void A_tab_is_told_with_line_and_column() => Assert.StartsWith(
        "r.yaml, line 3, column 1: a tab in the indentation; expected spaces",
        Expect.Error("merge_method: linear\nparameters:\n\tweight: 1\nmodels: [a]\n"));

    [Theory]
    [InlineData("models: [a\nmerge_method: linear\n", "r.yaml, line 2, column ")]
    [InlineData("merge_method: 'linear\n", "r.yaml, line ")]
    [InlineData("models: [a]\n merge_method: linear\n", "r.yaml, line 2, column ")]
    [InlineData("merge_method: linear\nmodels: }\n", "r.yaml, line 2, column 9")]
    public void A_syntax_error_is_told_with_line_and_column(string text, string where)
    {
        var error = Expect.Error(text);
        Assert.StartsWith(where, error);
        Assert.Contains("not valid YAML: ", error);
    }

    [Fact]
    public void A_second_document_is_refused_where_one_is_expected() =>
        Assert.StartsWith("r.yaml, line 4: a second merge stands in the recipe", Expect.Error(Whole + "---\n" + Whole));

    [Fact]
    public void An_alias_of_nothing_is_told() => Assert.StartsWith(
        "r.yaml, line 3, column 13: '*bsae' stands for nothing", Expect.Error("x: &base b\nmerge_method: linear\nbase_model: *bsae\n"));

    [Fact]
    public void An_alias_inside_its_own_value_is_refused() =>
        Assert.Contains("line 1, column 13: '*a' stands for a value that contains it", Expect.Error("models: &a [*a]\n"));

    [Fact]
    public void An_alias_bomb_is_refused()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12)
            .Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("more than 100000 values", Expect.Error(bomb));
    }

    [Fact]
    public void Nesting_without_end_is_refused() =>
        Assert.Contains("nested more than 64 levels deep", Expect.Error("models: " + new string('[', 5000)));

    [Fact]
    public void A_foreign_tag_is_refused() => Assert.StartsWith(
        "r.yaml, line 3, column 8: the tag '!python/name' is not known", Expect.Error(Whole + "dtype: !python/name x\n"));

    [Fact]
    public void A_key_that_is_a_list_is_refused() => Assert.Contains("where a key was expected", Expect.Error("[a]: b\n"));

    [Theory]
    [InlineData("dtype: float61", "r.yaml, line 3: 'dtype' is 'float61'", "Did you mean 'float16'?")]
    [InlineData("out_dtype: int8", "r.yaml, line 3: 'out_dtype' is 'int8'", "expected one of float32, fp32")]
    [InlineData("dtype: [float16]", "r.yaml, line 3: 'dtype' is a list", "one name")]
    public void A_wrong_dtype_is_told(string line, string found, string also)
    {
        var error = Expect.Error(Whole + line);
        Assert.StartsWith(found, error);
        Assert.Contains(also, error);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("'7'")]
    [InlineData("18446744073709551616")]
    [InlineData("soon")]
    public void A_wrong_seed_is_told(string seed) => Assert.StartsWith(
        $"r.yaml, line 3: 'seed' is '{seed.Trim('\'')}'; expected a whole number from 0", Expect.Error(Whole + "seed: " + seed));

    [Theory]
    [InlineData("[]", "'models' is an empty list")]
    [InlineData("org/name", "'org/name' is one model, not a trajectory")]
    [InlineData("{trajectory: run/one}", "'run/one' is one model, not a trajectory")]
    [InlineData("{last: 3}", "'trajectory' is missing")]
    [InlineData("[{parameters: {weight: 1}}]", "'model' is missing")]
    [InlineData("[{model: a, weight: 1}]", "there is no key 'weight' beside 'model'")]
    [InlineData("[{model: a, paramters: {weight: 1}}]", "Did you mean 'parameters'?")]
    [InlineData("[{model: a, parameters: 3}]", "'parameters' is '3'")]
    [InlineData("[{model: {path: a, name: b}}]", "there is no key 'name' in the long form of a model")]
    [InlineData("[{model: {revision: main}}]", "is a mapping without 'path' and without 'model'")]
    [InlineData("[{model: a, adapters: [{adaptor: b}]}]", "an entry of 'adapters' is a mapping")]
    [InlineData("[{model: a, adapters: [{adapter: b, weight: much}]}]", "'weight' of an adapter is 'much'")]
    [InlineData("[[a]]", "'model' is a list")]
    [InlineData("[~]", "'model' is empty")]
    [InlineData("[{model: a, last: 2}]", "'a' is one model")]
    [InlineData("{trajectory: run/*, last: 0}", "'last' is '0'; expected a whole number from 1")]
    [InlineData("{trajectory: run/*, every: often}", "'every' is 'often'; expected a whole number from 1")]
    [InlineData("[{model: a, parameters: {weight: [[1]]}}]", "'weight' is a list of lists")]
    [InlineData("[{model: a, parameters: {weight: {fliter: x, value: 1}}}]", "holds a mapping that is no filter")]
    [InlineData("[{model: a, parameters: {weight: [{filter: x}]}}]", "a filter of 'weight' has no value")]
    public void A_wrong_models_section_is_told_with_its_line(string models, string found)
    {
        var error = Expect.Error($"merge_method: linear\nmodels:\n  {models}\n");
        Assert.Matches("^r.yaml, line [23]: ", error);
        Assert.Contains(found, error);
    }

    [Fact]
    public void A_base_that_is_a_pattern_is_refused() =>
        Assert.StartsWith("r.yaml, line 3: 'base_model' is a pattern", Expect.Error(Whole + "base_model: run/*\n"));

    [Fact]
    public void All_errors_are_told_at_once()
    {
        var errors = Expect.Errors(() => RecipeParser.Parse("r.yaml", "modles: [a]\nseed: x\ndtype: y\nseed: 3\n"));
        Assert.Equal(6, errors.Count);
    }

    [Fact]
    public void Control_characters_do_not_reach_the_terminal() =>
        Assert.DoesNotContain('\u001b', Expect.Error(Whole + "\"\\e[31mred\": 1\n"));
}
