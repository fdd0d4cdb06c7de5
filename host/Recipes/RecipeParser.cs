using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Text → <see cref="Recipe"/>. The language is mergekit's, plus <c>seed</c> and trajectories.</summary>
internal static class RecipeParser
{
    private static readonly string[] Known =
        ["merge_method", "models", "base_model", "parameters", "dtype", "out_dtype", "seed", .. TokenizerSection.Keys];

    // mergekit has these; they must not be taken for typing slips.
    private static readonly string[] NotYet =
        ["slices", "modules", "name"];

    private static readonly (string Name, DType DType)[] DTypeNames =
    [
        ("float32", DType.F32), ("fp32", DType.F32), ("float16", DType.F16), ("fp16", DType.F16),
        ("bfloat16", DType.BF16), ("bf16", DType.BF16), ("float64", DType.F64),
    ];

    /// <param name="path">The name of the text, for messages.</param>
    /// <param name="text">The recipe.</param>
    /// <exception cref="MergeException">Everything that is wrong with it.</exception>
    public static Recipe Parse(string path, string text)
    {
        var findings = new RecipeFindings(path);
        var root = YamlReader.Read(path, text, findings);
        if (root is null or YamlScalar { IsNull: true })
            throw RecipeFindings.Fatal(path, "", "the recipe is empty", "at least 'merge_method' and 'models'");
        if (root is not YamlMap map)
        {
            throw RecipeFindings.Fatal(path, $"line {root.Line}", $"the recipe is {root.Kind}",
                "a mapping of keys such as 'merge_method: linear'");
        }

        var unsupported = CheckKeys(map, findings);
        var method = Word(map, "merge_method", findings);
        if (method is null && map.Find("merge_method") is null)
            findings.Error(map.Line, "'merge_method' is missing", "the id of a method, such as 'merge_method: linear'");
        var section = new ModelSection(findings);
        var models = map.Find("models") is { } entry ? section.Read(entry) : [];
        if (map.Find("models") is null && !unsupported)
            findings.Error(map.Line, "'models' is missing", "a list of models to merge");
        var baseModel = map.Find("base_model") is { } given ? section.Reference(given.Value, "base_model") : null;
        if (baseModel is { IsTrajectory: true })
            findings.Error(baseModel.Line, $"'base_model' is a pattern: {RecipeText.Quote(baseModel.Text)}",
                "one model");
        var recipe = new Recipe(path, text, method?.Text ?? "", method?.Line ?? map.Line, models, baseModel,
            ParameterSection.Read(map.Find("parameters"), findings), ReadDType(map, "dtype", findings),
            ReadDType(map, "out_dtype", findings), ReadSeed(map, findings));
        var tokenizer = new TokenizerSection(findings);
        recipe = recipe with { Tokenizer = tokenizer.Read(map), ChatTemplate = tokenizer.ReadChatTemplate(map) };
        findings.ThrowIfAny();
        return recipe;
    }

    private static bool CheckKeys(YamlMap map, RecipeFindings findings)
    {
        var unsupported = false;
        foreach (var (key, line, value) in map.Entries)
        {
            if (Known.Contains(key) || (NotYet.Contains(key) && value is YamlScalar { IsNull: true }))
                continue;
            if (NotYet.Contains(key))
            {
                unsupported = true;
                findings.Error(line, $"'{key}' is not supported yet", null,
                    $"Known so far: {string.Join(", ", Known)}.");
                continue;
            }
            findings.Error(line, $"there is no key {RecipeText.Quote(key)}", $"one of {string.Join(", ", Known)}",
                NearestMatch.Question(key, [.. Known, .. NotYet]));
        }
        return unsupported;
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
