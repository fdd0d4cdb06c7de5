using System.Globalization;
using System.Text.RegularExpressions;

namespace Merge.Checkpoints.Distributed;

/// <summary>What the name of one of DeepSpeed's files says.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="IsOptimizer">Whether it holds an optimizer's state, the float32 weights among it.</param>
/// <param name="DataRank">Which part of every parameter it has; null where it has none.</param>
/// <param name="ModelRank">Which part of the model: 0 without tensor or pipeline parallelism.</param>
internal sealed partial record ZeroFile(string Name, bool IsOptimizer, int? DataRank, int ModelRank)
{
    /// <summary>Null for another name.</summary>
    public static ZeroFile? Of(string name)
    {
        var match = Pattern().Match(name);
        return match.Success && Rank(match.Groups["data"]) is var data && Rank(match.Groups["model"]) is { } model
            && (data is not null || match.Groups["kind"].Value == "model")
            ? new(name, match.Groups["kind"].Value == "optim", data, model)
            : null;
    }

    private static int? Rank(Group group) =>
        int.TryParse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var rank) ? rank : null;

    [GeneratedRegex("^((bf16_|fp16_)?zero_pp_rank_(?<data>[0-9]+)_)?mp_rank_(?<model>[0-9]+)(_[0-9]+)?_(?<kind>optim|model)_states\\.pt$")]
    private static partial Regex Pattern();
}
