using Merge.Sdk;
using Merge.Testing.Engine;
using Merge.Testing.Rules;

namespace Merge.Testing;

/// <summary>Checks a merge method against the rules every method is held to.</summary>
public static class StrategyConformance
{
    private static readonly IStrategyRule[] _rules =
    [
        new OptionsRule(), new ShapesRule(), new IdentityRule(), new PermutationRule(), new BlocksRule(), new ThreadsRule(),
        new DeterminismRule(), new NotANumberRule(), new FilesRule(), new StateRule(), new MemoryRule(),
        new DeviceRule(),
    ];

    /// <summary>Checks all rules.</summary>
    /// <returns>What could not be checked on this machine, which is written to standard error, too; empty where all was.</returns>
    /// <exception cref="ConformanceException">Rules that do not hold and are no declared exceptions, or declared
    /// exceptions that are none.</exception>
    public static IReadOnlyList<ConformanceFinding> Check(MergeStrategy strategy, ConformanceSetup? setup = null)
    {
        var findings = Examine(strategy, setup);
        if (findings.Any(f => !f.NotChecked))
            throw new ConformanceException($"'{strategy.Info.Id}' ({strategy.GetType().Name})", findings);
        foreach (var finding in findings)
            Console.Error.WriteLine($"'{strategy.Info.Id}': {finding}");
        return findings;
    }

    /// <summary>Checks all rules and returns what was found, what was not checked included; empty where all is well.</summary>
    public static IReadOnlyList<ConformanceFinding> Examine(MergeStrategy strategy, ConformanceSetup? setup = null)
    {
        setup ??= new ConformanceSetup();
        using var device = DeviceEngine.Find(setup.Device);
        return Examine(new StreamedEngine(), device, strategy, setup);
    }

    internal static IReadOnlyList<ConformanceFinding> Examine(
        IMergeEngine engine, DeviceEngine device, MergeStrategy strategy, ConformanceSetup setup)
    {
        if (UnusableInfo(strategy) is { } unusable)
            return [unusable];
        Subject subject;
        try
        {
            subject = new(engine, device, strategy, setup);
        }
        catch (MergeException e)
        {
            return [.. e.Diagnostics.Select(d => new ConformanceFinding(ConformanceRule.Options, d.ToString(), "the options record"))];
        }
        if (DoesNotRun(subject) is { } unfit)
            return [unfit];
        var all = new List<ConformanceFinding>();
        foreach (var rule in _rules)
        {
            var found = Apply(rule, subject);
            if (!setup.Exceptions.TryGetValue(rule.Rule, out var reason))
                all.AddRange(found);
            else if (found.Count == 0)
                all.Add(new(rule.Rule, $"declared an exception (\"{reason}\"), but it holds", "ConformanceSetup.Exceptions: take it out"));
        }
        return all;
    }

    private static List<ConformanceFinding> Apply(IStrategyRule rule, Subject subject)
    {
        try
        {
            return [.. rule.Check(subject)];
        }
        catch (MergeException e)
        {
            return [new(rule.Rule, $"the merge is refused: {e.Message}", rule.LookAt)];
        }
        catch (Exception e)
        {
            return [new(rule.Rule, $"the method throws {e.GetType().Name}: {e.Message}", rule.LookAt)];
        }
    }

    private static ConformanceFinding? DoesNotRun(Subject subject)
    {
        try
        {
            subject.Merge(subject.Models(TestValues.Shapes));
            return null;
        }
        catch (MergeException e)
        {
            return new(ConformanceRule.Options, $"the method does not run with these options: {e.Message}",
                "ConformanceSetup.Options, Models and WithBase: what it cannot do without must be given");
        }
        catch (Exception e)
        {
            return new(ConformanceRule.Options, $"the method throws {e.GetType().Name}: {e.Message}",
                $"{e.StackTrace?.Split('\n')[0].Trim()}");
        }
    }

    private static ConformanceFinding? UnusableInfo(MergeStrategy strategy)
    {
        var found = strategy.Info switch
        {
            null => "Info is null",
            { MinModels: < 1 } or { MaxModels: < 1 } => "Info takes no models",
            { MinModels: var min, MaxModels: var max } when max < min => $"Info takes {min} to {max} models",
            { Name: null or "" } => "Info has no name in print",
            { Id: var id } when id is null || id.Length == 0 || !char.IsAsciiLetterLower(id[0])
                || id.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-')) =>
                $"the id is '{id}': lower-case letters, digits, _ and - are taken",
            _ => null,
        };
        return found is null ? null : new(ConformanceRule.Options, found, "the Info property");
    }
}
