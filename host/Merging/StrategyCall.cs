using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Runs a plugin's code so that whatever it throws comes out as a fault of that plugin, named.</summary>
internal static class StrategyCall
{
    /// <summary>The fix of what a plugin threw, unless its stack is printed at once.</summary>
    public const string AskForStack = "Run again with --verbose for the place in the plugin's code.";

    public static T Run<T>(MergeStrategy strategy, string where, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception fault) when (fault is not MergeException)
        {
            throw Threw(strategy.Info.Id, where, fault);
        }
    }

    /// <summary>Throws if the finished task failed.</summary>
    public static void Rethrow(MergeStrategy strategy, string where, Task task)
    {
        if (task.IsCanceled)
            throw Threw(strategy.Info.Id, where, new OperationCanceledException());
        if (task.Exception?.InnerException is { } fault)
            throw fault as MergeException ?? Threw(strategy.Info.Id, where, fault);
    }

    public static MergeException AwaitedSomethingElse(MergeStrategy strategy, string where) => MergeException.Plugin(
        $"{strategy.Info.Id} awaits something that is no statistic of this scan",
        expected: "every await in Plan and Survey to be on a Stat",
        where: where,
        fix: "Remove the other await (Task.Delay, file access, Task.Run …).");

    public static MergeException ReturnedNull(MergeStrategy strategy, string where) => MergeException.Plugin(
        $"{strategy.Info.Id} returned null from Plan", expected: "a TensorMerge", where: where);

    public static MergeException Threw(string method, string where, Exception fault) =>
        new(
            new Diagnostic($"{method} threw {fault.GetType().Name}: {fault.Message}")
            {
                Actor = Actor.PluginAuthor,
                Where = where,
                Fix = AskForStack,
            },
            fault);
}
