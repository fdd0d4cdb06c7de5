using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Text → <see cref="Recipe"/>. The language is mergekit's, plus <c>seed</c> and trajectories.</summary>
internal static class RecipeParser
{
    private static readonly string[] Known =
    [
        "merge_method", "models", "slices", "modules", "base_model", "parameters", "dtype", "out_dtype", "seed", "name",
        "metrics", "adapter", .. TokenizerSection.Keys, .. SearchSection.All,
    ];

    private static readonly string[] Inputs = ["models", "slices", "modules"];

    private static readonly (string Name, DType DType)[] DTypeNames =
    [
        ("float32", DType.F32), ("fp32", DType.F32), ("float16", DType.F16), ("fp16", DType.F16),
        ("bfloat16", DType.BF16), ("bf16", DType.BF16), ("float64", DType.F64),
    ];

    /// <summary>A recipe of one merge.</summary>
    /// <param name="path">The name of the text, for messages.</param>
    /// <param name="text">The recipe.</param>
    /// <exception cref="MergeException">Everything that is wrong with it.</exception>
    public static Recipe Parse(string path, string text)
    {
        var recipes = ParseAll(path, text);
        return recipes.Count == 1 ? recipes[0] : throw RecipeFindings.Fatal(
            path, $"line {recipes[1].Line}", "a second merge stands in the recipe", "one merge");
    }

    /// <summary>The merges of a recipe, as they stand in it; at least one.</summary>
    /// <exception cref="MergeException">Everything that is wrong with any of them.</exception>
    public static IReadOnlyList<Recipe> ParseAll(string path, string text)
    {
        var findings = new RecipeFindings(path);
        var documents = YamlReader.Read(path, text, findings);
        if (documents.Count == 0)
            throw RecipeFindings.Fatal(path, "", "the recipe is empty", "at least 'merge_method' and 'models'");
        Recipe[] recipes =
        [
            .. documents.Select(d => ParseOne(path, documents.Count == 1 ? text : d.Text, d.Root, findings)),
        ];
        findings.ThrowIfAny();
        return recipes;
    }

    private static Recipe ParseOne(string path, string text, YamlNode root, RecipeFindings findings)
    {
        var warned = findings.Warnings.Count;
        if (root is not YamlMap map)
        {
            throw RecipeFindings.Fatal(path, $"line {root.Line}", $"the recipe is {root.Kind}",
                "a mapping of keys such as 'merge_method: linear'");
        }

        map = EvolveGenome.Translated(map, findings);
        CheckKeys(map, findings);
        var method = Word(map, "merge_method", findings);
        if (method is null && map.Find("merge_method") is null)
            findings.Error(map.Line, "'merge_method' is missing", "the id of a method, such as 'merge_method: linear'");
        CheckInputs(map, findings);
        var section = new ModelSection(findings);
        var slices = new SliceSection(section, findings);
        var models = map.Find("models") is { } entry ? section.Read(entry) : [];
        var baseModel = map.Find("base_model") is { } given ? section.Reference(given.Value, "base_model") : null;
        if (baseModel is { IsTrajectory: true })
            findings.Error(baseModel.Line, $"'base_model' is a pattern: {RecipeText.Quote(baseModel.Text)}",
                "one model");
        var tokenizer = new TokenizerSection(findings);
        var evaluation = new EvaluateSection(findings);
        var recipe = new Recipe(path, text, method?.Text ?? "", method?.Line ?? map.Line, models, baseModel,
            ParameterSection.Read(map.Find("parameters"), findings), ReadDType(map, "dtype", findings),
            ReadDType(map, "out_dtype", findings), ReadSeed(map, findings))
        {
            Line = map.Line,
            Name = Word(map, "name", findings) is { } name ? new(name.Text, name.Line) : null,
            Metrics = MetricsSection.Read(map.Find("metrics"), findings),
            Tokenizer = tokenizer.Read(map),
            ChatTemplate = tokenizer.ReadChatTemplate(map),
            Adapter = map.Find("adapter") is { } adapter ? AdapterOutputSection.Read(adapter, findings) : null,
            Slices = map.Find("slices") is { } sliced ? slices.Read(sliced) : [],
            Modules = map.Find("modules") is { } parts ? slices.ReadModules(parts) : [],
            Search = SearchSection.Read(map, findings),
            Evaluate = evaluation.Read(map.Find("evaluate")),
            Objective = new ObjectiveSection(findings).Read(map.Find("objective")),
            Splits = evaluation.ReadSplits(map.Find("splits")),
            SearchSections = [.. map.Entries.Where(e => SearchSection.All.Contains(e.Key))],
            Map = map,
        };
        return recipe with { Warnings = [.. findings.Warnings.Skip(warned)] };
    }

    private static void CheckKeys(YamlMap map, RecipeFindings findings)
    {
        foreach (var (key, line, _) in map.Entries)
        {
            if (Known.Contains(key))
                continue;
            findings.Error(line, $"there is no key {RecipeText.Quote(key)}", $"one of {string.Join(", ", Known)}",
                NearestMatch.Question(key, Known));
        }
    }

    private static void CheckInputs(YamlMap map, RecipeFindings findings)
    {
        YamlEntry[] given = [.. Inputs.Select(map.Find).OfType<YamlEntry>()];
        if (given.Length == 0)
            findings.Error(map.Line, "'models' is missing", "a list of models to merge, or 'slices', or 'modules'");
        foreach (var second in given.Skip(1))
        {
            findings.Error(second.Line, $"'{second.Key}' stands beside '{given[0].Key}' of line {given[0].Line}",
                "one of models, slices, modules");
        }
    }

    private static YamlScalar? Word(YamlMap map, string key, RecipeFindings findings)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return scalar;
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", "one name");
        return null;
    }

    private static DType? ReadDType(YamlMap map, string key, RecipeFindings findings)
    {
        if (Word(map, key, findings) is not { } word)
            return null;
        var name = word.Text.StartsWith("torch.") ? word.Text["torch.".Length..] : word.Text;
        foreach (var known in DTypeNames)
        {
            if (known.Name == name)
                return known.DType;
        }
        var names = DTypeNames.Select(d => d.Name).ToList();
        findings.Error(word.Line, $"'{key}' is {RecipeText.Quote(word.Text)}", $"one of {string.Join(", ", names)}",
            NearestMatch.Question(name, names));
        return null;
    }

    private static ulong ReadSeed(YamlMap map, RecipeFindings findings)
    {
        if (Word(map, "seed", findings) is not { } word)
            return 0;
        if (!word.Quoted && RecipeNumber.TryWhole(word.Text, out var seed) && seed >= 0 && seed <= ulong.MaxValue)
            return (ulong)seed;
        findings.Error(word.Line, $"'seed' is {RecipeText.Quote(word.Text)}",
            $"a whole number from 0 to {ulong.MaxValue}");
        return 0;
    }
}
