using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>What <c>adapter_config.json</c> says of a LoRA adapter (PEFT's format).</summary>
internal sealed record AdapterConfig
{
    public const string FileName = "adapter_config.json";

    /// <summary>r, where no pattern says otherwise.</summary>
    public required int Rank { get; init; }

    /// <summary>α, where no pattern says otherwise.</summary>
    public required double Alpha { get; init; }

    /// <summary>s = α/√r instead of α/r.</summary>
    public bool RankStabilized { get; init; }

    /// <summary>Weights are stored [inputs, outputs], as GPT-2's Conv1D has them.</summary>
    public bool FanInFanOut { get; init; }

    public bool Dora { get; init; }

    /// <summary>Ranks of modules: the first key that matches holds.</summary>
    public IReadOnlyList<(Regex Key, int Rank)> RankPattern { get; init; } = [];

    public IReadOnlyList<(Regex Key, double Alpha)> AlphaPattern { get; init; } = [];

    /// <summary>The model it was trained on, as it is named there.</summary>
    public string? BaseModel { get; init; }

    /// <summary>All of the file: what a merged adapter takes over.</summary>
    public required JsonObject Json { get; init; }

    /// <summary>A text of a config; null where it is none.</summary>
    public static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>r of a module.</summary>
    public int RankOf(string module) => RankPattern.FirstOrDefault(p => p.Key.IsMatch(module)) is { Key: not null } found
        ? found.Rank : Rank;

    /// <summary>s of a module: α/r, or α/√r.</summary>
    public double ScaleOf(string module)
    {
        var alpha = AlphaPattern.FirstOrDefault(p => p.Key.IsMatch(module)) is { Key: not null } found ? found.Alpha : Alpha;
        return alpha / (RankStabilized ? Math.Sqrt(RankOf(module)) : RankOf(module));
    }

    /// <summary>Whether PEFT puts factors into a module: a list names whole names or what follows a dot, a text is a
    /// regular expression of the whole name. Where that cannot be told, it does (what is tied to a target may get them).</summary>
    public bool IsTarget(string module) => TiesWeights || Json["target_modules"] switch
    {
        JsonArray list => list.Select(TextOf).Any(t => t is null || AdapterNames.EndsIn(module, t)),
        JsonValue when TextOf(Json["target_modules"]) is { } text && text != "all-linear" => Whole(text)?.IsMatch(module) ?? true,
        _ => true,
    };

    /// <summary>The names in <c>modules_to_save</c>; none where the file cannot be read, which is said when it is.</summary>
    public static IReadOnlyList<string> WholeModules(string path)
    {
        try
        {
            return [.. (JsonFile.ReadObject(path)?["modules_to_save"] as JsonArray ?? []).Select(TextOf).OfType<string>()];
        }
        catch (MergeException)
        {
            return [];
        }
    }

    /// <summary>Whether PEFT ties what it puts on the embedding to what it puts on the head.</summary>
    public bool TiesWeights => Json["ensure_weight_tying"] is JsonValue value && value.TryGetValue<bool>(out var isTied) && isTied;

    /// <param name="path">The file.</param>
    /// <param name="problems">What is wrong with it, and what it asks for that would be read wrongly.</param>
    /// <returns>Null with an error.</returns>
    public static AdapterConfig? Read(string path, List<Diagnostic> problems)
    {
        var json = JsonFile.ReadObject(path);
        if (json is null)
        {
            problems.Add(new Diagnostic("the adapter has no config") { Where = path, Expected = $"an {FileName} beside its tensors" });
            return null;
        }
        return Read(path, json, problems);
    }

    /// <inheritdoc cref="Read(string, List{Diagnostic})"/>
    /// <param name="json">What it says.</param>
    public static AdapterConfig? Read(string path, JsonObject json, List<Diagnostic> problems) => new Reading(path, json, problems).Read();

    private sealed class Reading(string path, JsonObject json, List<Diagnostic> problems)
    {
        public AdapterConfig? Read()
        {
            var before = problems.Count(p => p.Severity == Severity.Error);
            AdapterFeatures.Check(path, json, problems);
            var rank = Number("r", 8);
            if (rank < 1 || rank != Math.Floor(rank) || rank > int.MaxValue)
                Wrong("r", "a whole number from 1");
            var config = new AdapterConfig
            {
                Rank = (int)rank,
                Alpha = Number("lora_alpha", 8),
                RankStabilized = Flag("use_rslora"),
                FanInFanOut = Flag("fan_in_fan_out"),
                Dora = Flag("use_dora"),
                RankPattern = [.. Pattern("rank_pattern").Select(p => (p.Key, (int)p.Value))],
                AlphaPattern = Pattern("alpha_pattern"),
                BaseModel = json["base_model_name_or_path"] is JsonValue value && value.TryGetValue<string>(out var name)
                    && name.Length > 0 ? name : null,
                Json = json,
            };
            return problems.Count(p => p.Severity == Severity.Error) == before ? config : null;
        }

        private double Number(string key, double absent)
        {
            // NaN and Infinity, which Python writes, read as null.
            if (!json.TryGetPropertyValue(key, out var node))
                return absent;
            if (node is JsonValue value && value.TryGetValue<double>(out var number) && double.IsFinite(number))
                return number;
            Wrong(key, "a number");
            return absent;
        }

        private bool Flag(string key)
        {
            if (json[key] is not { } node)
                return false;
            if (node is JsonValue value && value.TryGetValue<bool>(out var flag))
                return flag;
            Wrong(key, "true or false");
            return false;
        }

        private List<(Regex Key, double Value)> Pattern(string key)
        {
            var found = new List<(Regex, double)>();
            if (json[key] is null)
                return found;
            if (json[key] is not JsonObject map)
            {
                Wrong(key, "an object from module names to numbers");
                return found;
            }
            foreach (var (pattern, node) in map)
            {
                if (node is not JsonValue value || !value.TryGetValue<double>(out var number) || !double.IsFinite(number)
                    || (key == "rank_pattern" && (number < 1 || number != Math.Floor(number) || number > int.MaxValue)))
                {
                    Wrong($"{key}['{pattern}']", key == "rank_pattern" ? "a whole number from 1" : "a number", node);
                    continue;
                }
                if (Matcher(pattern) is { } matcher)
                    found.Add((matcher, number));
                else
                    Wrong($"{key}['{pattern}']", "a key that is a regular expression, without look-around and back-references", node);
            }
            return found;
        }

        private void Wrong(string key, string expected) => Wrong(key, expected, json[key]);

        // Every key that is asked for and missing has a value of its own.
        private void Wrong(string key, string expected, JsonNode? node) =>
            problems.Add(new Diagnostic($"'{key}' is {node?.ToJsonString() ?? "null, or no finite number"}")
            {
                Where = path,
                Expected = expected,
            });
    }

    /// <summary>PEFT's match of a pattern's key: the whole module name, or what follows one of its dots.</summary>
    // Without backtracking: a config from anywhere must not be able to make matching take forever.
    public static Regex? Matcher(string key) => Whole($@"(.*\.)?({key})");

    private static Regex? Whole(string pattern)
    {
        try
        {
            return new Regex($"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
