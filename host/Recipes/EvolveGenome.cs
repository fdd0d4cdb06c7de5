using System.Globalization;

namespace Merge.Recipes;

/// <summary>
/// A configuration of mergekit-evolve (<c>genome:</c>, <c>tasks:</c>) → the same as a recipe of this language with
/// <c>search:</c>, <c>evaluate:</c> and <c>objective:</c>; every key keeps its line. What stands in those sections of the
/// file itself goes before what the tasks say.
/// </summary>
internal sealed class EvolveGenome
{
    public const string Key = "genome";

    // mergekit-evolve stops after 100 evaluations where its command line says nothing.
    private const int Trials = 100;

    private static readonly string[] Keys =
    [
        Key, "tasks", "limit", "num_fewshot", "shuffle", "random_init", "apply_chat_template", "fewshot_as_multiturn",
        .. SearchSection.All,
    ];

    private static readonly string[] GenomeKeys =
    [
        "models", "merge_method", "base_model", "tokenizer_source", "layer_granularity", "normalize",
        "allow_negative_weights", "filters", "smooth",
    ];

    // What its genome has values for.
    private static readonly Dictionary<string, string[]> Searched = new()
    {
        ["linear"] = ["weight"],
        ["task_arithmetic"] = ["weight"],
        ["ties"] = ["weight", "density"],
        ["dare_ties"] = ["weight", "density"],
        ["slerp"] = ["t"],
    };

    private static readonly string[] Normalized = ["ties", "dare_ties", "linear"];

    private readonly RecipeFindings _findings;
    private readonly YamlMap _root;
    private readonly YamlMap _genome;
    private readonly SectionReader _top;
    private readonly SectionReader _section;

    private EvolveGenome(YamlMap root, YamlMap genome, RecipeFindings findings)
    {
        (_root, _genome, _findings) = (root, genome, findings);
        (_top, _section) = (new(root, "mergekit-evolve's configuration", findings), new(genome, Key, findings));
    }

    /// <summary>The recipe; the map itself where it is no such configuration.</summary>
    public static YamlMap Translated(YamlMap root, RecipeFindings findings)
    {
        if (root.Find(Key) is not { } genome)
            return root;
        if (genome.Value is YamlMap map)
            return new EvolveGenome(root, map, findings).Recipe();
        findings.Error(genome.Line, $"'genome' is {genome.Value.Kind}", "a mapping with 'models' and 'merge_method'");
        return root with { Entries = [.. root.Entries.Where(e => e.Key != Key)] };
    }

    private YamlMap Recipe()
    {
        _top.CheckKeys(Keys);
        _section.CheckKeys(GenomeKeys);
        var method = _section.Word("merge_method")?.Text ?? "";
        if (method.Length > 0 && !Searched.ContainsKey(method))
        {
            _findings.Error(_genome.Find("merge_method")!.Line, $"mergekit-evolve has no genome for {RecipeText.Quote(method)}",
                $"one of {string.Join(", ", Searched.Keys)}", "For any other method write a recipe with a 'search:' section: docs/searching.md.");
        }
        var models = _genome.Find("models")?.Value is YamlList { Items: var listed } ? listed : [];
        if (method == "slerp" && models.Count > 2)
        {
            _findings.Error(_genome.Find("models")!.Line, $"a slerp genome of {models.Count} models is not supported",
                "two models", "mergekit-evolve merges the two heaviest of each group; name the two.");
        }
        var entries = new List<YamlEntry>();
        foreach (var key in new[] { "merge_method", "models", "base_model", "tokenizer_source" })
        {
            if (_genome.Find(key) is { } entry)
                entries.Add(entry);
        }
        if (method == "slerp" && models.Count == 2 && _genome.Find("base_model") is null)
            entries.Add(new("base_model", models[0].Line, models[0]));
        var searched = Searched.GetValueOrDefault(method, []);
        entries.Add(Map("parameters", Parameters(method, searched, models.Count)));
        entries.Add(Word("dtype", "bfloat16"));
        entries.Add(_root.Find(SearchSection.Key) ?? Map(SearchSection.Key, Search(searched)));
        entries.AddRange(Tasks());
        return new(entries, _root.Line);
    }

    private List<YamlEntry> Parameters(string method, string[] searched, int models)
    {
        var parameters = new List<YamlEntry>();
        if (method != "slerp")
            parameters.Add(Word("normalize", (_section.Flag("normalize") ?? Normalized.Contains(method)) ? "true" : "false"));
        // Where it begins: equal shares, nothing dropped.
        foreach (var name in searched)
        {
            parameters.Add(Word(name, name switch
            {
                "weight" when models > 0 => (1.0 / models).ToString("R", CultureInfo.InvariantCulture),
                "t" => "0.5",
                _ => "1",
            }));
        }
        return parameters;
    }

    private List<YamlEntry> Search(string[] searched)
    {
        var negative = _section.Flag("allow_negative_weights") ?? false;
        var search = new List<YamlEntry>
        {
            Word("searcher", "cma-es"),
            Word("trials", Trials.ToString(CultureInfo.InvariantCulture)),
            Map("space", [.. searched.Select(name => Map(name, name switch
            {
                "weight" => Weight(negative),
                // None at all would keep nothing of a model.
                "density" => [Word("low", "0.01"), Word("high", "1")],
                _ => [Word("low", "0"), Word("high", "1")],
            }))]),
        };
        if (_section.Count("layer_granularity", 0) is > 0 and var size)
            search.Add(Word("layers_per_group", size.ToString(CultureInfo.InvariantCulture)));
        foreach (var key in new[] { "smooth", "filters" })
        {
            if (_genome.Find(key) is { } entry)
                search.Add(entry);
        }
        return search;
    }

    private List<YamlEntry> Weight(bool negative) =>
        negative ? [Word("low", "-1"), Word("high", "1"), Word("open", "true")] : [Word("low", "0"), Word("high", "1")];

    /// <summary>The tasks as a worker of the evaluation harness and the sum of what it measures.</summary>
    private List<YamlEntry> Tasks()
    {
        var own = SearchSection.All.Where(k => k != SearchSection.Key).Select(_root.Find).OfType<YamlEntry>().ToList();
        if (_top.Find("tasks") is not { } tasks)
            return own;
        if (tasks.Value is not YamlList { Items.Count: > 0 } list)
        {
            _findings.Error(tasks.Line, $"'tasks' is {tasks.Value.Kind}", "a list of names, or of 'name', 'weight' and 'metric'");
            return own;
        }
        var read = list.Items.Select(Task).OfType<EvolveTask>().ToArray();
        if (own.TrueForAll(e => e.Key != "evaluate"))
            own.Add(Map("evaluate", [new("worker", tasks.Line, Command(read))]));
        if (own.TrueForAll(e => e.Key != "objective"))
            own.Add(Map("objective", [Map("maximize", [.. read.Select(t => Word($"{t.Name}/{WithoutNone(t.Metric)}", t.Weight))])]));
        return own;
    }

    private EvolveTask? Task(YamlNode node)
    {
        if (node is YamlScalar { IsNull: false } name)
            return new(name.Text, "1", "acc,none");
        if (node is not YamlMap map)
        {
            _findings.Error(node.Line, $"a task is {node.Kind}", "a name, or 'name', 'weight' and 'metric'");
            return null;
        }
        var section = new SectionReader(map, "tasks", _findings);
        section.CheckKeys("name", "weight", "metric");
        var weight = section.Number("weight") ?? 1;
        if (section.Word("name") is { } given)
            return new(given.Text, weight.ToString("R", CultureInfo.InvariantCulture), section.Word("metric")?.Text ?? "acc,none");
        if (section.Find("name") is null)
            _findings.Error(map.Line, "a task has no 'name'", "a task of lm-evaluation-harness");
        return null;
    }

    private YamlList Command(EvolveTask[] tasks)
    {
        var worker = Path.Combine(AppContext.BaseDirectory, "samples", "evaluators", "lm_eval_worker.py");
        List<string> words = ["python3", worker, "--tasks", string.Join(',', tasks.Select(t => t.Name).Distinct())];
        Add("limit", "--limit");
        Add("num_fewshot", "--num-fewshot");
        // On unless the file says no.
        if (_top.Flag("apply_chat_template") ?? true)
            words.Add("--apply-chat-template");
        if (_top.Flag("fewshot_as_multiturn") ?? true)
            words.Add("--fewshot-as-multiturn");
        foreach (var key in new[] { "shuffle", "random_init" })
        {
            if (_top.Flag(key) is true)
                _findings.Warn(_top.Find(key)!.Line, $"'{key}' has no effect here", "Tasks are in their own order; the searcher begins at equal weights.");
        }
        return new([.. words.Select(w => new YamlScalar(w, true, _root.Line))], _root.Line);

        void Add(string key, string option)
        {
            if (_top.Count(key, 0) is { } count)
                words.AddRange([option, count.ToString(CultureInfo.InvariantCulture)]);
        }
    }

    private YamlEntry Map(string key, IReadOnlyList<YamlEntry> entries) => new(key, _genome.Line, new YamlMap(entries, _genome.Line));

    private YamlEntry Word(string key, string text) => new(key, _genome.Line, new YamlScalar(text, false, _genome.Line));

    // lm_eval_worker.py names a metric as the harness does, but for the filter that is none.
    private static string WithoutNone(string metric) => metric.EndsWith(",none", StringComparison.Ordinal) ? metric[..^",none".Length] : metric;

    private sealed record EvolveTask(string Name, string Weight, string Metric);
}
