using System.Runtime.ExceptionServices;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Runs a plan: survey, then every tensor, into a sink.</summary>
internal static class MergeRun
{
    /// <param name="context">The run.</param>
    /// <param name="finished">Tensors that an earlier, interrupted run has already written.</param>
    /// <param name="stop">Stops between two blocks.</param>
    public static void Execute(MergeContext context, IReadOnlySet<string> finished, CancellationTokenSource stop)
    {
        TensorPlan[] left = [.. context.Plan.Tensors.Where(t => !finished.Contains(t.Info.Name))];
        if (context.Plan.Strategy.HasSurvey && left.Any(t => !t.IsCopied && t.Info.Count > 0))
        {
            var survey = new Survey(t => t.Options!);
            new Scheduler(context.Settings.Threads, stop, memory: context.Settings.Device).Run([new SurveyJob(context, context.Plan, [survey])]);
            if (survey.Fault is { } fault)
                ExceptionDispatchInfo.Throw(fault);
            context.Survey = survey.Result;
        }
        new Scheduler(context.Settings.Threads, stop, context.Settings.Memory / 2, context.Settings.Device)
            .Run(left.Select(t => new TensorJob(context, t)));
    }
}
