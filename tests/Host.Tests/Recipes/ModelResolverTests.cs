using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public sealed class ModelResolverTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private const string Older = "fedcba9876543210fedcba9876543210fedcba98";

    private readonly string _root = Directory.CreateTempSubdirectory("merge-models").FullName;
    private readonly ModelPlaces _places;

    public ModelResolverTests() => _places = new(At("recipes"), At("work"), [At("dir1"), At("dir2")], At("hub"), At("home"));

    public void Dispose() => Directory.Delete(_root, true);

    [Fact]
    public void Places_are_looked_at_in_order()
    {
        string[] last = [At("hub/models--org--m/snapshots/main"), At("dir2/org/m"), At("dir1/org/m"), At("work/org/m"), At("recipes/org/m")];
        foreach (var place in last)
        {
            Directory.CreateDirectory(place);
            Assert.Equal(place, Resolve("org/m"));
        }
    }

    [Fact]
    public void A_file_absolute_paths_and_the_home_folder_work()
    {
        Directory.CreateDirectory(At("home/models"));
        File.WriteAllText(At("home/models/m.safetensors"), "");
        Assert.Equal(At("home/models/m.safetensors"), Resolve(At("home/models/m.safetensors")));
        Assert.Equal(At("home/models/m.safetensors"), Resolve("~/models/m.safetensors"));
        Assert.Equal(At("home/models"), Resolve("../home/models/"));
    }

    [Theory]
    [InlineData("org/m", Commit)]
    [InlineData("org/m@main", Commit)]
    [InlineData("org/m@refs-pr", Older)]
    [InlineData("org/m@pr/1", Older)]
    [InlineData("org/m@fedcba9", Older)]
    [InlineData("org/m@" + Commit, Commit)]
    public void The_hub_cache_gives_the_snapshot_of_a_revision(string text, string commit)
    {
        FillCache();
        var folder = Resolve(text);
        Assert.Equal(At($"hub/models--org--m/snapshots/{commit}"), folder);
        Assert.Equal("weights", File.ReadAllText(Path.Combine(folder, "model.safetensors")));
    }

    [Fact]
    public void A_model_without_an_organisation_is_found_in_the_hub_cache()
    {
        Directory.CreateDirectory(At("hub/models--gpt2/snapshots/main"));
        Assert.Equal(At("hub/models--gpt2/snapshots/main"), Resolve("gpt2"));
    }

    [Fact]
    public void A_missing_revision_names_those_there_are()
    {
        FillCache();
        var error = Error("org/m@v9");
        Assert.Contains($"(no revision 'v9'; it has {Commit}, {Older})", error);
        Assert.EndsWith("To fetch it: hf download org/m --revision v9", error);
    }

    [Fact]
    public void A_commit_that_may_be_two_is_refused()
    {
        FillCache();
        Directory.CreateDirectory(At("hub/models--org--m/snapshots/0123ffff"));
        Assert.Contains("(revision '0123' may be ", Error("org/m@0123"));
    }

    [Fact]
    public void A_missing_model_lists_the_places_the_nearest_name_and_the_command()
    {
        Directory.CreateDirectory(At("dir1/org/llama-chat"));
        var error = Error("org/lama-chat");
        Assert.StartsWith("r.yaml, line 5: model 'org/lama-chat' is not found; looked for ", error);
        string[] places = [At("recipes/org/lama-chat"), At("work/org/lama-chat"), At("dir1/org/lama-chat"),
            At("dir2/org/lama-chat"), At("hub/models--org--lama-chat")];
        Assert.Contains(string.Join(", ", places), error);
        Assert.EndsWith("Did you mean 'org/llama-chat'? To fetch it: hf download org/lama-chat", error);
    }

    [Theory]
    [InlineData("./none")]
    [InlineData("a/b/c")]
    [InlineData("org/m@../../secret")]
    public void What_is_no_name_of_the_hub_gets_no_command(string text) => Assert.DoesNotContain("hf download", Error(text));

    [Fact]
    public void A_reference_in_the_cache_cannot_point_out_of_it()
    {
        Directory.CreateDirectory(At("hub/models--org--m/refs"));
        Directory.CreateDirectory(At("hub/models--org--m/snapshots"));
        File.WriteAllText(At("hub/models--org--m/refs/main"), "../../..");
        Assert.Contains("no revision 'main'", Error("org/m"));
    }

    [Fact]
    public void An_adapter_after_a_plus_is_found_by_itself()
    {
        Directory.CreateDirectory(At("recipes/base"));
        Directory.CreateDirectory(At("recipes/lora"));
        Directory.CreateDirectory(At("recipes/c++"));
        (string Path, IReadOnlyList<ResolvedAdapter> Adapters) Parts(string text) =>
            ModelResolver.ResolveParts(new ModelReference(text, 5), _places, "r.yaml");
        var (path, adapters) = Parts("base+lora");
        Assert.Equal((At("recipes/base"), At("recipes/lora"), 1.0), (path, adapters.Single().Path, adapters.Single().Weight));
        // A folder whose name holds a '+' is one.
        Assert.Equal(At("recipes/c++"), Parts("c++").Path);
        Assert.Contains("nothing before or after", Assert.Throws<MergeException>(() => Parts("base+")).Message);
        Assert.StartsWith("r.yaml, line 5: model 'lost'", Assert.Throws<MergeException>(() => Parts("base+lost")).Message);
    }

    [Fact]
    public void The_cache_is_where_the_environment_says()
    {
        var variables = new Dictionary<string, string> { ["XDG_CACHE_HOME"] = "/x" };
        Assert.Equal("/h/.cache/huggingface/hub", HubCache.Folder(_ => null, "/h"));
        Assert.Equal("/x/huggingface/hub", HubCache.Folder(variables.GetValueOrDefault, "/h"));
        variables["HF_HOME"] = "/hf";
        Assert.Equal("/hf/hub", HubCache.Folder(variables.GetValueOrDefault, "/h"));
        variables["HF_HUB_CACHE"] = "/cache";
        Assert.Equal("/cache", HubCache.Folder(variables.GetValueOrDefault, "/h"));
    }

    [Fact]
    public void All_missing_models_are_told_at_once()
    {
        var recipe = RecipeParser.Parse("r.yaml", "merge_method: m\nmodels: [org/a, org/b, run/step-*]\nbase_model: org/c\n");
        Assert.Equal(4, Expect.Errors(() => ResolvedRecipe.Of(recipe, _places)).Count);
    }

    [Theory]
    [InlineData(InputRole.Unused, new[] { "a", "base", "b" })]
    [InlineData(InputRole.Optional, new[] { "a", "b" })]
    [InlineData(InputRole.Required, new[] { "a", "b" })]
    [InlineData(InputRole.Member, new[] { "base", "a", "b" })]
    public void The_base_is_a_model_only_where_the_method_counts_it(InputRole role, string[] models)
    {
        foreach (var model in models)
            Directory.CreateDirectory(At("work/" + model));
        Directory.CreateDirectory(At("work/base"));
        var recipe = RecipeParser.Parse("r.yaml", "merge_method: m\nmodels: [a, ./base, b]\nbase_model: base\n");
        Assert.Equal(models, ResolvedRecipe.Of(recipe, _places).Slices.Single().InputsFor(role, "r").Models.Select(m => Path.GetFileName(m.Path)));
        var without = recipe with { Models = [recipe.Models[0], recipe.Models[2]] };
        Assert.Equal(models.Where(m => role is InputRole.Member || m != "base"),
            ResolvedRecipe.Of(without, _places).Slices.Single().InputsFor(role, "r").Models.Select(m => Path.GetFileName(m.Path)));
    }

    private void FillCache()
    {
        var model = At("hub/models--org--m");
        Directory.CreateDirectory(Path.Combine(model, "blobs"));
        Directory.CreateDirectory(Path.Combine(model, "refs/pr"));
        File.WriteAllText(Path.Combine(model, "blobs/b1"), "weights");
        File.WriteAllText(Path.Combine(model, "refs/main"), Commit + "\n");
        File.WriteAllText(Path.Combine(model, "refs/refs-pr"), Older);
        File.WriteAllText(Path.Combine(model, "refs/pr/1"), Older);
        foreach (var commit in new[] { Commit, Older })
        {
            Directory.CreateDirectory(Path.Combine(model, "snapshots", commit));
            File.CreateSymbolicLink(Path.Combine(model, "snapshots", commit, "model.safetensors"), "../../blobs/b1");
        }
    }

    private string Resolve(string text) => ModelResolver.Resolve(new(text, 5), _places, "r.yaml");

    private string Error(string text) => Assert.Single(Expect.Errors(() => Resolve(text)));

    private string At(string path) => Path.Combine(_root, path);
}
