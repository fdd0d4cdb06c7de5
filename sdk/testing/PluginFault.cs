using System.Diagnostics;
using Merge.Merging;
using Merge.Sdk;
using Merge.Testing.Rules;

namespace Merge.Testing;

/// <summary>A merge that failed by a method's own code.</summary>
/// <param name="Found">What happened, at which tensor.</param>
/// <param name="Place">Where in the code.</param>
/// <param name="Fix">What to do about it, if more is known than the place.</param>
/// <param name="Cause">As it was thrown.</param>
internal sealed record PluginFault(string Found, string Place, string? Fix, Exception Cause)
{
    public string LookAt => Fix is null ? Place : $"{Place}. {Fix}";

    /// <summary>Null where the merge was refused in words: by the method to its user, or by the host.</summary>
    public static PluginFault? Of(MergeStrategy strategy, Exception thrown)
    {
        if (thrown is not MergeException refused)
            return new($"the method throws {thrown.GetType().Name}: {thrown.Message}", PlaceOf(strategy, thrown, ""), null, thrown);
        if (refused.Diagnostics.FirstOrDefault(d => d.Actor == Actor.PluginAuthor) is not { } told)
            return null;
        var cause = refused.InnerException ?? refused;
        return new(
            $"{told with { Fix = null }}",
            PlaceOf(strategy, cause, told.Found),
            // Of what the method's code threw, the host only advises how to find the place.
            refused.InnerException is null ? told.Fix : null,
            cause);
    }

    /// <summary>For those who are at no command line: the place in the plugin's code instead of the advice how to find it.</summary>
    public MergeException ToException(MergeException refused) => new(
        [
            .. refused.Diagnostics.Select(d => d.Actor == Actor.PluginAuthor
                ? d with { Fix = Fix is null ? $"Look at {Place}." : $"{Fix} Look at {Place}." }
                : d),
        ],
        Cause)
    {
        WrongUsage = refused.WrongUsage,
    };

    // The stack knows; of an await, and of a result that does not fit, it no longer does when the host finds out.
    private static string PlaceOf(MergeStrategy strategy, Exception cause, string found)
    {
        var type = strategy.GetType();
        foreach (var frame in new StackTrace(cause).GetFrames())
        {
            if (frame.GetMethod() is { } method && method.DeclaringType?.Assembly == type.Assembly)
                return new CodePlace(method, frame.GetILOffset()).WithLine;
        }
        var code = ReachableCode.Of(type);
        var results = code.Calls.Where(c => c.Target.DeclaringType == typeof(TensorMerge)).ToArray();
        string[] places = cause is MergeException refused && StrategyCall.IsForeignAwait(refused)
            ? [.. code.ForeignAwaits.Select(a => $"{a.Awaited} awaited in {a.From.WithLine}")]
            : [.. results.Where(c => found.Contains(c.Target.Name)).DefaultIfEmpty(results.LastOrDefault())
                .Where(c => c.Target is not null).Select(c => $"{c.Target.Name} in {c.From.WithLine}")];
        return places.Length == 0 ? $"{type.Name}.Plan" : string.Join("; ", places);
    }
}
