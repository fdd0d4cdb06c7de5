using System.Reflection;
using Merge.Sdk;

namespace Merge.Testing.Rules;

/// <summary>What of an options record can be set, and not by a recipe: a <c>[Parameter]</c> was forgotten.</summary>
internal static class Unmarked
{
    public static IEnumerable<ConformanceFinding> In(Type options) =>
        from property in options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.SetMethod is { IsPublic: true } && property.GetCustomAttribute<ParameterAttribute>() is null
        select new ConformanceFinding(
            ConformanceRule.Options,
            $"public init property {property.Name} has no [Parameter]: a recipe cannot set it",
            $"{property.DeclaringType!.Name}.{property.Name}: give it [Parameter(\"…\")], or no init");
}
