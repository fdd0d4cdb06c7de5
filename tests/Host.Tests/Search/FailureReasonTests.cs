using Merge.Scoring;
using Merge.Sdk;
using Merge.Search;

namespace Host.Tests.Search;

public sealed class FailureReasonTests
{
    [Fact]
    public void The_most_frequent_reasons_are_told_with_their_counts_and_who_must_act()
    {
        Trial[] trials =
        [
            Ok(0), Failed(1, "no score within 3 s"), Failed(2, "'loss' is 0.5, which is not <= 0.25"),
            Failed(3, "'loss' is 1.75, which is not <= 0.25"), Failed(4, "boom", Actor.PluginAuthor),
            Failed(5, "boom", Actor.PluginAuthor), Failed(6, "boom", Actor.PluginAuthor), Failed(7, "the GPU is gone"),
        ];
        Assert.Equal(
        [
            "7 of 8 trials have no score:",
            "3 trials: boom (to act: the author of the plugin)",
            "2 trials: 'loss' is 0.5, which is not <= 0.25",
            "1 trial: no score within 3 s",
            "1 trial for other reasons: 'merge trials' lists them.",
        ], FailureReason.Lines(trials));
    }

    [Fact]
    public void Where_all_have_a_score_nothing_is_said() => Assert.Empty(FailureReason.Lines([Ok(0)]));

    private static Trial Ok(int index) => new(index, 0, [0], Empty(ScoreStatus.Ok) with { Objective = 1 });

    private static Trial Failed(int index, string error, Actor actor = Actor.User) =>
        new(index, 0, [0], Empty(ScoreStatus.Failed) with { Error = error, Actor = actor });

    private static TrialScore Empty(ScoreStatus status) => TrialScore.Without(status, "", 0);
}
