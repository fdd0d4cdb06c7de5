using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Runs a plugin's code so that whatever it throws comes out as a fault of that plugin, named.</summary>
internal static partial class StrategyCall
{
    /// <summary>The fix of what a plugin threw, unless its stack is printed at once.</summary>
    public const string AskForStack = "Run again with --verbose for the place in the plugin's code.";

    private const string ForeignAwait = "awaits something that is no statistic of this scan";

    public static T Run<T>(MergeStrategy strategy, string where, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception fault) when (fault is not (MergeException or WorkInterrupted))
        {
            throw Threw(strategy.Info.Id, where, fault);
        }
    }

    /// <summary>Throws if the finished task failed.</summary>
    public static void Rethrow(MergeStrategy strategy, string where, Task task)
    {
        if (task.IsCanceled)
        {
            try
            {
                task.GetAwaiter().GetResult();
            }
            catch (OperationCanceledException cancelled) when (cancelled is not WorkInterrupted)
            {
                throw Threw(strategy.Info.Id, where, new OperationCanceledException());
            }
        }
        if (task.Exception?.InnerException is not { } fault)
            return;
        // With its stack: it says where in the plugin.
        if (fault is MergeException)
            ExceptionDispatchInfo.Throw(fault);
        throw Threw(strategy.Info.Id, where, fault);
    }

    public static MergeException AwaitedSomethingElse(MergeStrategy strategy, string where) => MergeException.Plugin(
        $"{strategy.Info.Id} {ForeignAwait}",
        expected: "every await in Plan and Survey to be on a Stat",
        where: where,
        fix: "Remove the other await (Task.Delay, file access, Task.Run …).");

    public static bool IsForeignAwait(MergeException fault) =>
        fault.Diagnostics.Any(d => d.Found.EndsWith(ForeignAwait, StringComparison.Ordinal));

    public static MergeException ReturnedNull(MergeStrategy strategy, string where) => MergeException.Plugin(
        $"{strategy.Info.Id} returned null from Plan", expected: "a TensorMerge", where: where);

    public static MergeException Threw(string method, string where, Exception fault) =>
        new(
            // Messages of others have full stops, and several lines.
            new Diagnostic($"{method} threw {fault.GetType().Name}: {Spaces().Replace(fault.Message, " ").Trim().TrimEnd('.')}")
            {
                Actor = Actor.PluginAuthor,
                Where = where,
                Fix = AskForStack,
            },
            fault);

    /// <summary>The same fault with the plugin's name, and where its code is on the stack, how to see the place.</summary>
    public static MergeException Named(MergePlan plan, MergeException fault)
    {
        var named = fault.OfPlugin($"{plan.Plugin.Name} {plan.Plugin.Version} (method {plan.Strategy.Info.Id})");
        var code = plan.Strategy.GetType().Assembly;
        return fault.InnerException is null && new StackTrace(fault).GetFrames().Any(f => f.GetMethod()?.DeclaringType?.Assembly == code)
            ? new([.. named.Diagnostics.Select(d => d.Actor is Actor.PluginAuthor && d.Fix is null ? d with { Fix = AskForStack } : d)], fault)
            {
                WrongUsage = fault.WrongUsage,
            }
            : named;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
