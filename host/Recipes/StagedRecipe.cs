using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>The merges of one recipe file, of which later ones may use what earlier ones made.</summary>
/// <param name="Stages">Those with a name, each after all that it uses; none where the file holds one merge only.</param>
/// <param name="Final">The one without a name; null where all have one.</param>
internal sealed record StagedRecipe(IReadOnlyList<Recipe> Stages, Recipe? Final)
{
    // What merge itself puts behind the name of a folder that it makes.
    private static readonly string[] Endings = [".partial", ".replaced", ".fingerprint"];

    /// <summary>All merges in the order they run.</summary>
    public IEnumerable<Recipe> All => Final is null ? Stages : Stages.Append(Final);

    public IReadOnlyList<string> Names => [.. Stages.Select(s => s.Name!.Text)];

    /// <exception cref="MergeException">Everything that is wrong with it.</exception>
    public static StagedRecipe Parse(string path, string text)
    {
        var recipes = RecipeParser.ParseAll(path, text);
        if (recipes is [var only])
            return new([], only);
        var findings = new RecipeFindings(path);
        var named = recipes.Where(r => r.Name is not null).ToArray();
        CheckNames(recipes, findings);
        findings.ThrowIfAny();
        var stages = InOrder(named, findings);
        findings.ThrowIfAny();
        var final = recipes.FirstOrDefault(r => r.Name is null);
        return new(stages, final is null ? null : final with { Text = text, Stages = stages });
    }

    /// <summary>Those of the named merges that a recipe uses.</summary>
    public static IEnumerable<ModelReference> Uses(Recipe recipe, IReadOnlyCollection<string> names) =>
        recipe.References.SelectMany(r => r.Text.Split('+', StringSplitOptions.TrimEntries).Concat(r.Adapters.Select(a => a.Text))
            .Select(part => new ModelReference(part, r.Line))).Where(r => names.Contains(r.Text));

    private static void CheckNames(IReadOnlyList<Recipe> recipes, RecipeFindings findings)
    {
        var seen = new Dictionary<string, int>();
        foreach (var (text, line) in recipes.Select(r => r.Name).OfType<StageName>())
        {
            if (Problem(text) is { } problem)
                findings.Error(line, $"'name' is {RecipeText.Quote(text)}, which {problem}", "a plain word, such as 'first'");
            else if (!seen.TryAdd(text, line))
                findings.Error(line, $"the name {RecipeText.Quote(text)} is taken: line {seen[text]} gives it", null,
                    "Give each merge a name of its own.");
        }
        var unnamed = recipes.Where(r => r.Name is null).ToArray();
        foreach (var second in unnamed.Skip(1))
        {
            findings.Error(second.Line, $"a second merge without 'name'; the first stands in line {unnamed[0].Line}",
                "a name for every merge but the last to run");
        }
    }

    // It becomes a folder's name, and must not read as anything else that may stand for a model.
    private static string? Problem(string name) => name switch
    {
        _ when name.AsSpan().ContainsAny('/', '\\') => "holds a path separator",
        _ when name.AsSpan().ContainsAny("*?@+:") || name.Any(char.IsControl) => "holds one of * ? @ + : or a control character",
        _ when name[0] is '.' or '~' || name != name.Trim() => "begins with '.' or '~', or begins or ends with a space",
        _ when name.Length > 100 => $"is {name.Length} characters long; at most 100 make a folder's name everywhere",
        _ => Endings.FirstOrDefault(name.EndsWith) is { } ending
            ? $"ends in '{ending}', as folders of unfinished work do" : null,
    };

    private static List<Recipe> InOrder(IReadOnlyList<Recipe> named, RecipeFindings findings)
    {
        var left = named.ToList();
        var done = new List<Recipe>();
        while (left.Count > 0)
        {
            var waiting = left.Select(r => r.Name!.Text).ToHashSet();
            if (left.Find(r => !Uses(r, waiting).Any()) is not { } next)
            {
                ReportCycle(left, waiting, findings);
                return done;
            }
            left.Remove(next);
            done.Add(WithStages(next, done, named));
        }
        return done;
    }

    /// <summary>The stages it builds on, and a text that makes it again alone: theirs and its own.</summary>
    private static Recipe WithStages(Recipe recipe, List<Recipe> done, IReadOnlyList<Recipe> inFile)
    {
        var names = done.Select(d => d.Name!.Text).ToArray();
        var used = Uses(recipe, names).Select(u => u.Text).ToHashSet();
        used.UnionWith([.. done.Where(d => used.Contains(d.Name!.Text)).SelectMany(d => d.Stages).Select(s => s.Name!.Text)]);
        var texts = inFile.Where(r => used.Contains(r.Name!.Text) || r == recipe).Select(r => r.Text.Trim() + "\n");
        return recipe with
        {
            Stages = [.. done.Where(d => used.Contains(d.Name!.Text))],
            Text = string.Join("---\n", texts),
        };
    }

    private static void ReportCycle(List<Recipe> left, HashSet<string> waiting, RecipeFindings findings)
    {
        var byName = left.ToDictionary(r => r.Name!.Text);
        var path = new List<ModelReference>();
        // Each of them uses another of them: following any use long enough goes round.
        var at = left[0];
        while (path.DistinctBy(p => p.Text).Count() == path.Count)
        {
            path.Add(Uses(at, waiting).First());
            at = byName[path[^1].Text];
        }
        var round = path[(path.FindIndex(p => p.Text == path[^1].Text) + 1)..];
        findings.Error(round[0].Line,
            $"{RecipeText.Quote(round[^1].Text)} is made of itself: it "
                + string.Join(", which ", round.Select(r => $"uses {RecipeText.Quote(r.Text)} (line {r.Line})")),
            "an order in which each merge uses only earlier ones");
    }
}
