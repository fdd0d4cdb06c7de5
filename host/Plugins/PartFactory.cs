using System.Text.RegularExpressions;
using Merge.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Merge.Plugins;

/// <summary>
/// Builds what a plugin offers (strategies, searchers, evaluators) and asks each for its info; what fails is named, the
/// rest goes on.
/// </summary>
internal static partial class PartFactory
{
    private static readonly Type[] Kinds = [typeof(MergeStrategy), typeof(SearcherFactory), typeof(EvaluatorFactory)];

    /// <summary>Whether the host can use a class of this type.</summary>
    public static bool IsPart(Type type) =>
        type is { IsVisible: true, IsAbstract: false, ContainsGenericParameters: false } && Kinds.Any(type.IsSubclassOf);

    /// <summary>Whether the host could use it, were it public.</summary>
    public static bool IsHidden(Type type) =>
        type is { IsVisible: false, IsAbstract: false, ContainsGenericParameters: false } && Kinds.Any(type.IsSubclassOf);

    /// <summary>What <paramref name="type"/> offers, with its checked info, or what is wrong with it.</summary>
    /// <param name="type">A part's class.</param>
    /// <param name="services">What its constructor may ask for.</param>
    /// <param name="optionFaults">What cannot work in an options record; null: it is not looked at.</param>
    public static (PluginPart? Part, IReadOnlyList<Diagnostic> Problems) Build(
        Type type, IServiceProvider services, Func<Type, IReadOnlyList<Diagnostic>>? optionFaults)
    {
        try
        {
            if (Unresolved(type, services) is { } missing)
                return (null, [missing]);
            PluginPart part = ActivatorUtilities.CreateInstance(services, type) switch
            {
                MergeStrategy strategy => new StrategyPart(strategy.Info, strategy),
                SearcherFactory searcher => new SearcherPart(searcher.Info, searcher),
                var evaluator => new EvaluatorPart(((EvaluatorFactory)evaluator).Info, (EvaluatorFactory)evaluator),
            };
            if (Invalid(type, part) is { } problem)
                return (null, [problem]);
            Diagnostic[] faults = [.. (optionFaults?.Invoke(part.OptionsType) ?? []).Select(f => Unusable(type, part, f))];
            return faults.Length > 0 ? (null, faults) : (part, []);
        }
        catch (Exception e)
        {
            var cause = e;
            while (cause is TypeInitializationException { InnerException: { } inner })
                cause = inner;
            return (null, [Fault(type, $"it throws {cause.GetType().Name} when it is set up: {cause.Message}")]);
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

    private static Diagnostic? Invalid(Type type, PluginPart part)
    {
        if (part.HasNoInfo)
            return Fault(type, "its Info is null");
        if (part.Id is null || !IdPattern().IsMatch(part.Id))
            return Fault(type, $"its id is '{part.Id}'", expected: "lower-case letters, digits, _ and -");
        if (string.IsNullOrWhiteSpace(part.Name))
            return Fault(type, $"'{part.Id}' has no name in print");
        return part is StrategyPart { Info: var info } ? Invalid(type, info) : null;
    }

    private static Diagnostic? Invalid(Type type, StrategyInfo info)
    {
        if (!Enum.IsDefined(info.Base))
            return Fault(type, $"'{info.Id}' gives its base the role {info.Base}", expected: "a role of InputRole");
        return info.MinModels < 1 || info.MaxModels < info.MinModels
            ? Fault(type, $"'{info.Id}' takes {info.MinModels} to {info.MaxModels} models", expected: "1 ≤ min ≤ max")
            : null;
    }

    private static Diagnostic Unusable(Type type, PluginPart part, Diagnostic fault) => fault with
    {
        Found = $"{part.Kind} '{part.Id}' cannot be used: {(fault.Where is null ? "" : $"{fault.Where}: ")}{fault.Found}",
        Where = type.Assembly.Location,
    };

    private static Diagnostic Fault(Type type, string found, string? expected = null) =>
        new($"class {type.Name} cannot be used: {found}")
        {
            Actor = Actor.PluginAuthor,
            Expected = expected,
            Where = type.Assembly.Location,
        };

    [GeneratedRegex("^[a-z][a-z0-9_-]*$")]
    private static partial Regex IdPattern();
}
