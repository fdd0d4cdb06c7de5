using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads <c>evaluate:</c> and <c>splits:</c>.</summary>
internal sealed class EvaluateSection(RecipeFindings findings)
{
    private const int MostWorkers = 1024;
    private const int MostRetries = 100;

    private static readonly string[] Who = ["command", "worker", "plugin"];
    private static readonly string[] Keys =
        [.. Who, "options", "timeout", "retries", "workers", "environment", "candidates"];

    private static readonly string[] CandidateKeys = ["place", "folder", "quota"];
    private static readonly string[] SplitKeys = ["selection", "report", "final"];
    private static readonly string[] Places = [.. ParameterText.EnumNames(typeof(CandidatesIn))];

    /// <summary>The evaluation, or null: there is none, or it is told what is wrong with it.</summary>
    public EvaluateRecipe? Read(YamlEntry? section)
    {
        if (section is null)
            return null;
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'evaluate' is {section.Value.Kind}",
                "a mapping such as 'command: [python3, eval.py, \"{candidate}\"]'");
            return null;
        }
        var keys = new SectionReader(map, "evaluate", findings);
        keys.CheckKeys(Keys);
        YamlEntry[] given = [.. Who.Select(map.Find).OfType<YamlEntry>()];
        if (given.Length != 1)
        {
            findings.Error(given.Length == 0 ? section.Line : given[1].Line, given.Length == 0
                ? "'evaluate' does not say who scores"
                : $"'{given[1].Key}' stands beside '{given[0].Key}' of line {given[0].Line}",
                $"one of {string.Join(", ", Who)}");
        }
        var kind = given is [var who, ..] ? (EvaluatorKind)Array.IndexOf(Who, who.Key) : EvaluatorKind.Command;
        var isPlugin = kind is EvaluatorKind.Plugin;
        if (!isPlugin && map.Find("options") is { } options)
            findings.Error(options.Line, "'options' are a plugin's", null, "Give the program arguments instead.");
        if (isPlugin && map.Find("environment") is { } unused)
            findings.Error(unused.Line, "'environment' is a command's or a worker's", null, "A plugin takes 'options'.");
        var workers = keys.Count("workers", 1, MostWorkers);
        var evaluate = new EvaluateRecipe(kind,
            isPlugin || given.Length == 0 ? [] : Arguments(given[0], kind),
            isPlugin ? keys.Text("plugin", "an evaluator's id") : null,
            section.Line)
        {
            Options = ParameterSection.Read(map.Find("options"), findings),
            Timeout = Timeout(map.Find("timeout")),
            Retries = keys.Count("retries", 0, MostRetries) ?? (isPlugin ? 0 : 1),
            Workers = workers,
            Environment = isPlugin ? [] : new EnvironmentSection(findings).Read(map.Find("environment"), workers ?? 1),
            Candidates = Candidates(map.Find("candidates")),
        };
        return given.Length == 1 ? evaluate : null;
    }

    public SplitsRecipe ReadSplits(YamlEntry? section)
    {
        var standard = new SplitsRecipe();
        if (section is null)
            return standard;
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'splits' is {section.Value.Kind}",
                "a mapping such as 'selection: validation' and 'report: test'");
            return standard;
        }
        var keys = new SectionReader(map, "splits", findings);
        keys.CheckKeys(SplitKeys);
        var hasReport = map.Entries.Any(e => e.Key == "report");
        var splits = new SplitsRecipe(
            keys.Text("selection", "the split that choices are made on") ?? standard.Selection,
            hasReport ? keys.Text("report", "another split, or null") : standard.Report,
            keys.Text("final", "a third split"));
        if (splits.Selection == splits.Report)
        {
            findings.Error(map.Line, $"'selection' and 'report' are both {RecipeText.Quote(splits.Selection)}", null,
                "What was chosen on cannot be reported on: give another split, or 'report: null'.");
        }
        if (splits.Final is not null && (splits.Final == splits.Selection || splits.Final == splits.Report))
        {
            findings.Error(map.Line, $"'final' is {RecipeText.Quote(splits.Final)} again", "a split of its own",
                "What the final pick is made on can neither be what the search has chosen on nor what is reported on.");
        }
        return splits;
    }

    private IReadOnlyList<string> Arguments(YamlEntry entry, EvaluatorKind kind)
    {
        IReadOnlyList<string>? arguments = null;
        switch (entry.Value)
        {
            case YamlScalar { IsNull: false } line:
                arguments = ArgumentText.Split(line.Text, out var problem);
                if (problem is not null)
                    findings.Error(entry.Line, $"'{entry.Key}' {problem}", null, "There is no shell: write a list, or 'sh -c' and a script.");
                break;
            case YamlList { Items.Count: > 0 } list when list.Items.All(i => i is YamlScalar):
                arguments = [.. list.Items.Select(i => ((YamlScalar)i).Text)];
                break;
        }
        if (arguments is null or [] || arguments[0].Length == 0)
        {
            if (arguments is not null || entry.Value is not YamlScalar { IsNull: false })
                findings.Error(entry.Line, $"'{entry.Key}' is {entry.Value.Kind}", "a program and its arguments");
            return [];
        }
        if (kind is EvaluatorKind.Command && !arguments.Any(a => a.Contains("{candidate}")))
        {
            findings.Warn(entry.Line, "no argument holds {candidate}: the command has to take it from MERGE_CANDIDATE");
        }
        return arguments;
    }

    private TimeSpan? Timeout(YamlEntry? entry)
    {
        if (entry is null)
            return null;
        if (entry.Value is YamlScalar scalar && DurationText.TryParse(scalar.Text, out var duration))
            return duration;
        findings.Error(entry.Line, $"'timeout' is {entry.Value.Kind}", "a time such as 90s, 30m or 2h, at most 24 days");
        return null;
    }

    private CandidatesRecipe Candidates(YamlEntry? entry)
    {
        if (entry is null)
            return new();
        if (entry.Value is not YamlMap map)
        {
            findings.Error(entry.Line, $"'candidates' is {entry.Value.Kind}", "a mapping with 'place', 'folder', 'quota'");
            return new();
        }
        var keys = new SectionReader(map, "evaluate.candidates", findings);
        keys.CheckKeys(CandidateKeys);
        var place = CandidatesIn.Auto;
        if (keys.Text("place", $"one of {string.Join(", ", Places)}") is { } word
            && !Enum.TryParse(word, ignoreCase: true, out place))
        {
            findings.Error(map.Find("place")!.Line, $"'place' is {RecipeText.Quote(word)}",
                $"one of {string.Join(", ", Places)}", NearestMatch.Question(word, Places));
        }
        var folder = keys.Text("folder", "a folder");
        if (folder is not null && place is CandidatesIn.Memory)
            findings.Error(map.Find("folder")!.Line, "'folder' stands beside 'place: memory'", "'place: disk', or no folder");
        return new(folder is null ? place : CandidatesIn.Disk, folder, Quota(keys), entry.Line);
    }

    private long? Quota(SectionReader keys)
    {
        if (keys.Text("quota", "a size such as 20GB") is not { } text)
            return null;
        if (SizeText.TryParse(text, out var bytes))
            return bytes;
        findings.Error(keys.Find("quota")!.Line, $"'quota' is {RecipeText.Quote(text)}", "a size such as 20GB");
        return null;
    }
}
