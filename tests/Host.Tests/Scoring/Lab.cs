using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Scoring;

/// <summary>A recipe, a model of seven numbers and evaluators that are shell scripts; closed and deleted afterwards.</summary>
internal sealed class Lab : IDisposable
{
    private readonly TestModels _models = new();
    private readonly ConcurrentStack<IDisposable> _open = [];

    public Lab(params TestTensor[] tensors)
    {
        _models.Write("a", """{"model_type": "test"}""",
            tensors.Length > 0 ? tensors : [Of("w", 1, 2, 3), Of("b", 4, 5, 6, 7)]);
        File.WriteAllText(Path.Combine(_models["a"], "tokenizer.json"), "{}");
        Plan = Plans.Of(new PlannedModel("a", _models.Open("a")));
        Directory.CreateDirectory(Folder);
    }

    public MergePlan Plan { get; }

    public CandidateMedia Media { get; init; } = new();

    /// <summary>The search's.</summary>
    public string Folder => _models["search"];

    public string this[string name] => _models[name];

    /// <summary>A script beside the recipe, to be run as <c>sh NAME</c>.</summary>
    public void Script(string name, string body) => File.WriteAllText(_models[name], body.ReplaceLineEndings("\n") + "\n");

    public Recipe Recipe(string evaluate, string objective = "{maximize: accuracy}") => RecipeParser.Parse(
        _models["r.yaml"], $"merge_method: linear\nmodels: [{{model: a}}]\nevaluate: {evaluate}\nobjective: {objective}\n");

    public Scorer Open(string evaluate, string objective = "{maximize: accuracy}", PluginCatalog? catalog = null)
    {
        var recipe = Recipe(evaluate, objective);
        var scorer = Scorer.Open(recipe.Evaluate!, recipe.Objective!, catalog ?? PluginCatalog.Load(PluginFolders.At()),
            new(recipe.Path, Folder) { Media = Media });
        _open.Push(scorer);
        return scorer;
    }

    public CandidatePlace Place(bool needsFolder = true, CandidatesRecipe? recipe = null, int wanted = 1)
    {
        var place = CandidatePlace.Open(Plan, recipe ?? new(CandidatesIn.Disk), needsFolder, Folder, _models["r.yaml"], wanted, Media);
        _open.Push(place);
        return place;
    }

    /// <summary>Makes a candidate of the model's own bytes, has it scored, and frees it.</summary>
    public async Task<TrialScore> Score(Scorer scorer, string id = "1", string split = "selection", CandidatePlace? place = null)
    {
        using var candidate = Make(place ?? Place(scorer.NeedsFolder, scorer.NeedsFolder ? null : new()), id);
        return await scorer.Score(candidate, split, CancellationToken.None);
    }

    public StoredCandidate Make(CandidatePlace place, string id = "1")
    {
        var candidate = place.Create(id, new Dictionary<string, double> { ["weight"] = 0.5 }, id);
        foreach (var tensor in Plan.Tensors)
        {
            var bytes = new byte[tensor.Models[0].Length];
            tensor.Models[0].Read(0, bytes);
            candidate.Sink!.Write(tensor.Info.Name, 0, bytes);
        }
        return candidate;
    }

    public static float[] Read(Candidate candidate, string tensor)
    {
        var values = new float[candidate.Tensors.First(t => t.Name == tensor).Count];
        candidate.Read(tensor, values);
        return values;
    }

    public void Dispose()
    {
        while (_open.TryPop(out var open))
            open.Dispose();
        _models.Dispose();
    }

    /// <summary>A machine with as much room as a test says.</summary>
    internal sealed record Machine(long Memory, long Disk) : CandidateMedia
    {
        public override long? Free(string folder) => folder == SharedMemory ? Memory : Disk;

        public override long FreeMemory() => Memory;
    }
}
