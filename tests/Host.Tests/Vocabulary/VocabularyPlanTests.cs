using Merge.Sdk;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

public class VocabularyPlanTests
{
    private static readonly VocabularyModel Base = Model("base", 3, "a b c");
    private static readonly VocabularyModel Left = Model("left", 4, "a b c x");
    private static readonly VocabularyModel Right = Model("right", 5, "a b y x c");

    [Fact]
    public void A_union_is_the_bases_tokens_then_each_models_new_ones_then_added_ones()
    {
        var first = Model("first", 4, "a b", "<s> <t>");
        var second = Model("second", 5, "b n1 a", "<t> <u>");
        var third = Model("third", 4, "n2 n1 a", "<v>");
        var plan = Plan([first, second, third], union: true);
        // first's own at their ids; then n1 (second), n2 (third); then <u>, <v>.
        Assert.Equal(
            [("n1", 4), ("n2", 5), ("<u>", 6), ("<v>", 7)], plan.Edit.Added.Select(t => (t.Content, t.Id)));
        Assert.Equal(8, plan.Rows);
        Assert.True(plan.Edit.Added[2].Special);
        Assert.False(plan.Edit.Added[0].Special);
    }

    [Fact]
    public void A_plain_token_that_another_model_has_added_is_added()
    {
        var plan = Plan([Base, Model("plain", 4, "a <t> n"), Model("special", 2, "a", "<t>")], union: true);
        Assert.Equal([("n", false), ("<t>", true)], plan.Edit.Added.Select(t => (t.Content, t.Special)));
    }

    [Fact]
    public void The_base_alone_gives_the_bases_rows()
    {
        var plan = Plan([Base, Right], union: false, named: 0);
        Assert.Equal(3, plan.Rows);
        Assert.True(plan.Maps[0].IsIdentity(3));
        Assert.Equal([Copy(1, 0), Copy(1, 1), Copy(1, 4)], Rows(plan.Maps[1]));
    }

    [Fact]
    public void A_token_only_one_model_has_is_that_models_row_for_all()
    {
        var plan = Plan([Base, Right], union: true, named: 0);
        // y and x are right's alone.
        Assert.Equal([Copy(0, 0), Copy(0, 1), Copy(0, 2), Copy(1, 2), Copy(1, 3)], Rows(plan.Maps[0]));
        Assert.Equal([Copy(1, 0), Copy(1, 1), Copy(1, 4), Copy(1, 2), Copy(1, 3)], Rows(plan.Maps[1]));
    }

    [Fact]
    public void A_token_several_have_and_the_base_too_is_the_bases_row_for_the_rest()
    {
        var plan = Plan([Model("base", 2, "a x"), Model("l", 1, "a"), Model("r", 2, "x a")], union: false, named: 0);
        Assert.Equal([Copy(1, 0), Copy(0, 1)], Rows(plan.Maps[1]));
        Assert.Equal([Copy(2, 1), Copy(2, 0)], Rows(plan.Maps[2]));
    }

    [Fact]
    public void A_token_several_have_but_the_base_is_their_mean_for_the_rest()
    {
        var plan = Plan([Base, Left, Right], union: true, named: 0);
        Assert.Equal("x y".Split(' '), plan.Edit.Added.Select(t => t.Content));
        Assert.Equal([Copy(0, 0), Copy(0, 1), Copy(0, 2), "mean 1:3 2:3", Copy(2, 2)], Rows(plan.Maps[0]));
        Assert.Equal([Copy(1, 0), Copy(1, 1), Copy(1, 2), Copy(1, 3), Copy(2, 2)], Rows(plan.Maps[1]));
    }

    [Fact]
    public void Without_a_base_the_first_model_gives_the_order_and_not_the_row()
    {
        var plan = Plan([Model("l", 2, "a x"), Model("m", 1, "a"), Model("r", 2, "x a")], union: true);
        Assert.Equal([Copy(1, 0), "mean 0:1 2:0"], Rows(plan.Maps[1]));
    }

    [Fact]
    public void A_token_no_model_has_is_zeros_and_said()
    {
        var plan = Plan([Base], union: false, rules: [new("<new>", null, false, "line 3")]);
        Assert.Equal([Copy(0, 0), Copy(0, 1), Copy(0, 2), "zero"], Rows(plan.Maps[0]));
        Assert.Contains("'<new>'", Assert.Single(plan.Warnings).Found);
    }

    [Fact]
    public void Ids_behind_a_models_embedding_are_ignored()
    {
        var padded = Model("padded", 3, "a b c", "<unused0> <unused1>");
        var plan = Plan([Base, padded], union: true);
        Assert.Empty(plan.Edit.Added);
        Assert.Equal(3, plan.Rows);
        // As the source, its tokens go.
        var own = Plan([padded, Base], union: true);
        Assert.Equal(["<unused0>", "<unused1>"], own.Edit.Removed);
        Assert.Equal(3, own.Rows);
    }

    [Fact]
    public void A_rule_names_the_row_of_models_without_the_token()
    {
        var plan = Plan([Base, Left, Right], union: true, named: 0, rules: [new("x", new(2), false, "line 1")]);
        Assert.Equal(Copy(2, 3), Rows(plan.Maps[0])[3]);
        Assert.Equal(Copy(1, 3), Rows(plan.Maps[1])[3]);
    }

    [Fact]
    public void A_forced_rule_names_the_row_of_every_model()
    {
        var plan = Plan([Base, Left, Right], union: true, named: 0, rules: [new("x", new(2), true, "line 1")]);
        Assert.All(plan.Maps, m => Assert.Equal(Copy(2, 3), Rows(m)[3]));
    }

    [Fact]
    public void A_rule_may_take_another_tokens_row_an_id_or_zeros()
    {
        var plan = Plan([Base, Left], union: false, named: 0, rules:
        [
            new("<1>", new(1, Token: "x"), false, "line 1"),
            new("<2>", new(1, Id: 2), false, "line 2"),
            new("<3>", new(null), false, "line 3"),
            new("a", new(null), true, "line 4"),
        ]);
        Assert.Equal(["zero", Copy(0, 1), Copy(0, 2), Copy(1, 3), Copy(1, 2), "zero"], Rows(plan.Maps[0]));
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void An_added_token_of_a_rule_keeps_the_properties_it_has_in_its_model()
    {
        var plan = Plan([Base, Model("m", 4, "a b c", "<|end|>")], union: false, rules: [new("<|end|>", new(1), false, "")]);
        Assert.True(Assert.Single(plan.Edit.Added).Special);
    }

    [Fact]
    public void Rules_that_cannot_be_followed_are_reported_together()
    {
        var fault = Assert.Throws<MergeException>(() => Plan([Base, Left], union: false, rules:
        [
            new("<1>", new(1, Token: "xx"), false, "line 1"), new("<2>", new(0, Id: 3), false, "line 2"),
        ]));
        Assert.True(fault.WrongUsage);
        Assert.Equal(["line 1", "line 2"], fault.Diagnostics.Select(d => d.Where));
        Assert.Equal("'left' has no token 'xx'", fault.Diagnostics[0].Found);
        Assert.Equal("Did you mean 'x'?", fault.Diagnostics[0].Fix);
        Assert.Equal("a token_id from 0 to 2", fault.Diagnostics[1].Expected);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 4)]
    [InlineData(3, 3)]
    [InlineData(64, 64)]
    public void Padding_rounds_up_and_fills_with_the_mean(int to, int rows)
    {
        var plan = Plan([Base], union: false, padTo: to);
        Assert.Equal(rows, plan.Rows);
        Assert.All(Rows(plan.Maps[0]).Skip(3), r => Assert.Equal("average", r));
    }

    [Fact]
    public void An_id_without_a_token_is_padding()
    {
        var gap = new VocabularyModel("gap", Tokenizer(new() { ["a"] = 0, ["b"] = 2 }, []), 3);
        Assert.Equal([Copy(0, 0), "average", Copy(0, 2)], Rows(Plan([gap], union: false).Maps[0]));
    }

    [Fact]
    public void Consecutive_rows_are_one_run()
    {
        var model = Model("m", 1000, string.Join(' ', Enumerable.Range(0, 1000)));
        var moved = Model("n", 1000, string.Join(' ', Enumerable.Range(0, 1000).Select(i => (i + 500) % 1000)));
        var plan = Plan([model, moved], union: false);
        Assert.Single(plan.Maps[0].Runs);
        Assert.Equal(2, plan.Maps[1].Runs.Length);
    }

    private static VocabularyPlan Plan(
        VocabularyModel[] models, bool union, int? named = null, TokenRule[]? rules = null, int padTo = 1) =>
        VocabularyPlan.Of(new VocabularyRequest
        {
            Models = models,
            Base = named,
            Source = models[0].Tokenizer,
            SourceRows = models[0].Rows,
            IsUnion = union,
            Rules = rules ?? [],
            PadTo = padTo,
        });

    private static VocabularyModel Model(string name, long rows, string tokens, string added = "")
    {
        var plain = tokens.Split(' ');
        string[] special = added.Length == 0 ? [] : added.Split(' ');
        var ids = plain.Concat(special).Index().ToDictionary(t => t.Item, t => t.Index);
        return new(name, Tokenizer(ids, special), rows);
    }

    private static Tokenizer Tokenizer(Dictionary<string, int> ids, string[] added) => new(
        "folder", "folder/tokenizer.json", ids,
        added.ToDictionary(t => t, t => new AddedToken(t, ids[t]) { Special = true }), false);

    private static string Copy(int model, int row) => $"{model}:{row}";

    private static string[] Rows(RowMap map) =>
    [
        .. from run in map.Runs
           from i in Enumerable.Range(0, (int)run.Count)
           select run.Origin switch
           {
               RowOrigin.Copy => Copy(run.Model, (int)run.Row + i),
               RowOrigin.Mean => "mean " + string.Join(' ', map.Means[(int)run.Row + i].Select(r => Copy(r.Model, (int)r.Row))),
               RowOrigin.Zero => "zero",
               _ => "average",
           },
    ];
}
