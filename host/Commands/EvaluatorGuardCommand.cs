using System.CommandLine;
using Merge.Scoring;

namespace Merge.Commands;

/// <summary>What a search starts beside itself: see <see cref="EvaluatorGuard"/>. Not for people.</summary>
internal static class EvaluatorGuardCommand
{
    public static Command Create()
    {
        var mark = new Argument<string>("MARK") { Description = "Of the search." };
        var command = new Command(EvaluatorGuard.Verb, "End the evaluators of a search that was killed; started by searches.") { mark };
        command.Hidden = true;
        command.SetAction(parsed => EvaluatorGuard.Watch(Console.In, parsed.GetRequiredValue(mark)));
        return command;
    }
}
