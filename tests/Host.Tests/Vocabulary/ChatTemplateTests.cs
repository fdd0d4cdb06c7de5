using System.Text.Json.Nodes;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

public sealed class ChatTemplateTests : IDisposable
{
    private readonly Written _files = new();

    public ChatTemplateTests()
    {
        foreach (var name in new[] { "a", "b", "c" })
            _files.Model(name, [1], ["t"]);
    }

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template": " {{ x }}\n"}""", "{{ x }}")]
    [InlineData("tokenizer_config.json", """{"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}""", "d")]
    [InlineData("tokenizer_config.json", """{"chat_template": {"default": "d"}}""", "d")]
    [InlineData("tokenizer_config.json", """{"chat_template": ""}""", null)]
    [InlineData("tokenizer_config.json", """{"chat_template": null}""", null)]
    [InlineData("tokenizer_config.json", "{}", null)]
    [InlineData("chat_template.json", """{"chat_template": "j"}""", "j")]
    [InlineData("chat_template.jinja", "{% if x %}\n", "{% if x %}")]
    public void A_template_is_read_wherever_it_stands(string file, string text, string? template)
    {
        File.WriteAllText(Path.Combine(_files["a"], file), text);
        Assert.Equal(template, ChatTemplate.Read(_files["a"]));
    }

    [Fact]
    public void A_file_of_its_own_goes_before_the_config()
    {
        File.WriteAllText(Path.Combine(_files["a"], "tokenizer_config.json"), """{"chat_template": "old"}""");
        File.WriteAllText(Path.Combine(_files["a"], "chat_template.jinja"), "new");
        Assert.Equal("new", ChatTemplate.Read(_files["a"]));
    }

    [Fact]
    public void The_most_common_wins_and_of_equals_the_first()
    {
        Assert.Equal("y", ChatTemplate.MostCommon(["x", "y", null, "y"]));
        Assert.Equal("x", ChatTemplate.MostCommon([null, "x", "y"]));
        Assert.Null(ChatTemplate.MostCommon([null, null]));
    }

    [Fact]
    public void Auto_takes_the_most_common_of_the_models()
    {
        Template("a", "one");
        Template("b", "two");
        Template("c", "two ");
        var merged = _files.Merge(Recipe("chat_template: auto"));
        Assert.Equal("two", (string?)JsonNode.Parse(merged.Text("tokenizer_config.json"))!["chat_template"]);
        Assert.Empty(merged.Warnings);
    }

    [Fact]
    public void Auto_without_any_template_is_said()
    {
        var merged = _files.Merge(Recipe("chat_template: auto"));
        Assert.Equal("no model has a chat template: the output has none either", Assert.Single(merged.Warnings).Found);
    }

    [Fact]
    public void A_template_of_the_recipe_replaces_the_models_and_leaves_the_rest_of_the_config()
    {
        File.WriteAllText(
            Path.Combine(_files["a"], "tokenizer_config.json"),
            """{"first": 1e30, "chat_template": "old", "last": "é"}""");
        var merged = _files.Merge(Recipe("chat_template: \"{{ messages[0]['content'] }}\""));
        Assert.Equal(
            "{\n  \"first\": 1e30,\n  \"chat_template\": \"{{ messages[0]['content'] }}\",\n  \"last\": \"é\"\n}\n",
            merged.Text("tokenizer_config.json"));
        Assert.False(File.Exists(Path.Combine(merged.Folder, "chat_template.jinja")));
    }

    [Fact]
    public void Without_a_tokenizer_config_it_is_a_file_of_its_own()
    {
        var merged = _files.Merge(Recipe("chat_template: chatml"));
        Assert.Contains("<|im_start|>", merged.Text("chat_template.jinja"));
    }

    [Theory]
    [InlineData("chatml", "<|im_end|>")]
    [InlineData("llama3", "<|eot_id|>")]
    [InlineData("mistral", "[/INST]")]
    [InlineData("alpaca", "### Response:")]
    [InlineData("exaone", "[|endofturn|]")]
    public void Known_names_stand_for_their_templates(string name, string part)
    {
        var text = KnownTemplates.Find(name)!;
        Assert.Contains(part, text);
        Assert.Equal(text.Split("{%").Length, text.Split("%}").Length);
        Assert.Equal(text.Split("{{").Length, text.Split("}}").Length);
    }

    [Fact]
    public void What_is_neither_a_name_nor_a_template_is_refused_with_the_nearest_name()
    {
        var problem = Assert.Single(_files.Refused(Recipe("chat_template: chatlm")));
        Assert.Equal("'chat_template' is 'chatlm'", problem.Found);
        Assert.Equal("Did you mean 'chatml'?", problem.Fix);
        Assert.EndsWith("line 3", problem.Where);
    }

    private void Template(string model, string template) => File.WriteAllText(
        Path.Combine(_files[model], "tokenizer_config.json"), new JsonObject { ["chat_template"] = template }.ToJsonString());

    private static string Recipe(string line) =>
        "merge_method: linear\nmodels: [{model: a, parameters: &w {weight: 1}}, {model: b, parameters: *w}, "
        + "{model: c, parameters: *w}]\n" + line;
}
