using System.CommandLine;
using Merge.Scoring;

namespace Merge.Commands;

/// <summary>What a search starts beside itself: see <see cref="EvaluatorGuard"/>. Not for people.</summary>
internal static class EvaluatorGuardCommand
{
    public static Command Create()
    {
        var command = new Command(EvaluatorGuard.Verb, "End the evaluators of a search that was killed; started by searches.") { Hidden = true };
        command.SetAction(_ => EvaluatorGuard.Watch(Console.In));
        return command;
    }
}
