using System.Text.RegularExpressions;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>Why trials have no score, the most frequent reason first.</summary>
/// <param name="Trials">How many have it.</param>
/// <param name="Error">In the words of the first of them.</param>
/// <param name="Actor">Who must act.</param>
internal sealed partial record FailureReason(int Trials, string Error, Actor Actor)
{
    private const int MostShown = 3;
    private const int Longest = 300;

    /// <summary>The reasons of trials; numbers apart, equal ones are one.</summary>
    public static IReadOnlyList<FailureReason> Of(IEnumerable<Trial> trials) =>
    [
        .. trials.Where(t => t.Objective is null).GroupBy(t => Number().Replace(t.Score.Error ?? "", "0"))
            .Select(g => new FailureReason(g.Count(), g.First().Score.Error ?? "no reason given", g.First().Score.Actor))
            .OrderByDescending(r => r.Trials),
    ];

    /// <summary>How many trials have no score and why, a line each; none where all have one.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<Trial> trials)
    {
        var reasons = Of(trials);
        if (reasons.Count == 0)
            yield break;
        yield return $"{reasons.Sum(r => r.Trials)} of {Count(trials.Count)} {(reasons.Sum(r => r.Trials) == 1 ? "has" : "have")} no score:";
        foreach (var reason in reasons.Take(MostShown))
            yield return reason.ToString();
        if (reasons.Count > MostShown)
            yield return $"{Count(reasons.Skip(MostShown).Sum(r => r.Trials))} for other reasons: 'merge trials' lists them.";
    }

    public override string ToString() => $"{Count(Trials)}: {(Error.Length > Longest ? Error[..Longest] + "…" : Error)}" + Actor switch
    {
        Actor.PluginAuthor => " (to act: the author of the plugin)",
        Actor.Developers => " (to act: the developers of merge)",
        _ => "",
    };

    private static string Count(int trials) => $"{trials} trial{(trials == 1 ? "" : "s")}";

    [GeneratedRegex(@"[-−+]?\d+([.,]\d+)?([eE][-+]?\d+)?", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
