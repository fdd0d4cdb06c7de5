using System.Text.RegularExpressions;
using Merge.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Merge.Plugins;

/// <summary>Builds a plugin's strategies and asks each for its info; what fails is named, the rest goes on.</summary>
internal static partial class StrategyFactory
{
    /// <summary>A strategy of <paramref name="type"/> with its checked info, or what is wrong with it.</summary>
    public static (MergeStrategy? Strategy, StrategyInfo? Info, Diagnostic? Problem) Build(
        Type type, IServiceProvider services)
    {
        try
        {
            if (Unresolved(type, services) is { } missing)
                return (null, null, missing);
            var strategy = (MergeStrategy)ActivatorUtilities.CreateInstance(services, type);
            var info = strategy.Info;
            return Invalid(type, info) is { } problem ? (null, null, problem) : (strategy, info, null);
        }
        catch (Exception e)
        {
            var cause = e;
            while (cause is TypeInitializationException { InnerException: { } inner })
                cause = inner;
            return (null, null, Fault(type, $"it throws {cause.GetType().Name} when it is set up: {cause.Message}"));
        }
    }

    private static Diagnostic? Unresolved(Type type, IServiceProvider services)
    {
        var constructors = type.GetConstructors();
        if (constructors.Length == 0)
            return Fault(type, "it has no public constructor");
        var offered = services.GetService<IServiceProviderIsService>();
        var missing = constructors
            .Select(constructor => constructor.GetParameters()
                .FirstOrDefault(p => !p.HasDefaultValue && offered?.IsService(p.ParameterType) != true)?.ParameterType)
            .ToArray();
        return missing.Contains(null)
            ? null
            : Fault(type, $"its constructor asks for {missing[0]!.FullName}, which the host does not offer",
                expected: "a constructor without parameters");
    }

    private static Diagnostic? Invalid(Type type, StrategyInfo? info)
    {
        if (info is null)
            return Fault(type, "its Info is null");
        if (info.Id is null || !Id().IsMatch(info.Id))
            return Fault(type, $"its id is '{info.Id}'", expected: "lower-case letters, digits, _ and -");
        if (string.IsNullOrWhiteSpace(info.Name))
            return Fault(type, $"'{info.Id}' has no name in print");
        if (!Enum.IsDefined(info.Base))
            return Fault(type, $"'{info.Id}' gives its base the role {info.Base}", expected: "a role of InputRole");
        return info.MinModels < 1 || info.MaxModels < info.MinModels
            ? Fault(type, $"'{info.Id}' takes {info.MinModels} to {info.MaxModels} models", expected: "1 ≤ min ≤ max")
            : null;
    }

    private static Diagnostic Fault(Type type, string found, string? expected = null) =>
        new($"class {type.Name} cannot be used: {found}")
        {
            Actor = Actor.PluginAuthor,
            Expected = expected,
            Where = type.Assembly.Location,
        };

    [GeneratedRegex("^[a-z][a-z0-9_-]*$")]
    private static partial Regex Id();
}
