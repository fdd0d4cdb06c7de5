using System.Reflection;

namespace Merge.Testing.Rules;

internal sealed class StateRule : IStrategyRule
{
    private static readonly string[] _types =
        ["System.Random", "System.Diagnostics.Stopwatch", "System.Security.Cryptography.RandomNumberGenerator"];

    private static readonly string[] _members =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow", "System.Guid.NewGuid", "System.Environment.get_TickCount",
        "System.Environment.get_TickCount64", "System.Environment.GetEnvironmentVariable", "System.HashCode.Combine",
        "System.HashCode.ToHashCode",
    ];

    public ConformanceRule Rule => ConformanceRule.State;

    public string LookAt => "what Plan and Survey know beside their arguments: nothing may be; numbers that are drawn come from "
        + "b.Uniform(stream), what a survey finds is its result";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var type = subject.Strategy.GetType();
        var code = ReachableCode.Of(type);
        var writes =
            from write in code.Writes
            let field = write.Target
            where (field.IsStatic || field.DeclaringType!.IsAssignableFrom(type)) && !IsGenerated(field)
            select $"{write.From} writes to {field.DeclaringType!.Name}.{field.Name}";
        return Calls(code).Concat(writes).Distinct().Select(found => new ConformanceFinding(Rule, found, LookAt));
    }

    /// <summary>What asks for something that is not the same everywhere.</summary>
    public static IEnumerable<string> Calls(ReachableCode code) =>
        from call in code.Calls
        let name = $"{call.Target.DeclaringType?.FullName}.{call.Target.Name}"
        where _types.Contains(call.Target.DeclaringType?.FullName) || _members.Contains(name)
        select $"{call.From} calls {name}";

    // Delegates that the compiler keeps for lambdas.
    private static bool IsGenerated(FieldInfo field) => field.Name.StartsWith('<') || field.DeclaringType!.Name.StartsWith('<');
}
