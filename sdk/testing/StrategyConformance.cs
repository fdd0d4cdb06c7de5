using Merge.Sdk;
using Merge.Testing.Engine;
using Merge.Testing.Rules;

namespace Merge.Testing;

/// <summary>Checks a merge method against the rules every method is held to.</summary>
public static class StrategyConformance
{
    private static readonly IStrategyRule[] _rules =
    [
        // State first: it is the cause of what others then find.
        new StateRule(), new OptionsRule(), new ShapesRule(), new IdentityRule(), new PermutationRule(), new BlocksRule(), new ThreadsRule(),
        new DeterminismRule(), new NotANumberRule(), new FilesRule(), new MemoryRule(),
        new DeviceRule(),
    ];

    /// <summary>Checks all rules.</summary>
    /// <returns>The rules that hold, the device it was compared with, and what could not be checked on this machine, which is
    /// written to standard error, too.</returns>
    /// <exception cref="ConformanceException">Rules that do not hold and are no declared exceptions, or declared
    /// exceptions that are none. Rules that could not be checked because of that are named. What the method's code threw is the
    /// inner exception.</exception>
    public static ConformanceReport Check(MergeStrategy strategy, ConformanceSetup? setup = null)
    {
        var report = Examine(strategy, setup);
        if (report.Findings.Any(f => !f.NotChecked))
            throw new ConformanceException($"'{strategy.Info?.Id}' ({strategy.GetType().Name})", report.Findings);
        foreach (var finding in report.Findings)
            Console.Error.WriteLine($"'{report.Method}': {finding}");
        return report;
    }

    /// <summary>Checks all rules and throws nothing: what does not hold is among the report's findings.</summary>
    public static ConformanceReport Examine(MergeStrategy strategy, ConformanceSetup? setup = null)
    {
        setup ??= new ConformanceSetup();
        using var device = DeviceEngine.Find(setup.Device);
        return Examine(new StreamedEngine(), device, strategy, setup);
    }

    internal static ConformanceReport Examine(
        IMergeEngine engine, DeviceEngine device, MergeStrategy strategy, ConformanceSetup setup)
    {
        if (UnusableInfo(strategy) is { } unusable)
            return Stopped(strategy, "Info cannot be used", [unusable]);
        Subject subject;
        try
        {
            subject = new(engine, device, strategy, setup);
        }
        catch (MergeException e)
        {
            return Unusable("the options record", e.Diagnostics);
        }
        if (setup.Options is { } given && GivenOptions.Wrong(strategy, given, subject.ModelCount) is { Count: > 0 } wrong)
            return Unusable("ConformanceSetup.Options", wrong);
        if (DoesNotRun(subject) is { } unfit)
            return Stopped(strategy, "the method does not run", [unfit]);
        var (all, held) = (new List<ConformanceFinding>(), new List<ConformanceRule> { ConformanceRule.Plan });
        foreach (var rule in _rules)
        {
            var found = Apply(rule, subject);
            if (!setup.Exceptions.TryGetValue(rule.Rule, out var reason))
            {
                all.AddRange(found);
                if (found.Count == 0 && (rule.Rule != ConformanceRule.Permutation || subject.Symmetric))
                    held.Add(rule.Rule);
            }
            else if (found.Count == 0)
            {
                all.Add(new(rule.Rule, $"declared an exception (\"{reason}\"), but it holds", "ConformanceSetup.Exceptions: take it out"));
            }
        }
        return new(strategy.Info.Id, held, device.Engine is null ? null : device.Text, all);

        ConformanceReport Unusable(string what, IReadOnlyList<Diagnostic> found) => Stopped(strategy, $"{what} cannot be used",
            [.. found.Select(d => new ConformanceFinding(ConformanceRule.Options, d.ToString(), what))]);
    }

    /// <summary>Of all the rules that come after, that they were not checked.</summary>
    private static ConformanceReport Stopped(MergeStrategy strategy, string why, ConformanceFinding[] found) =>
        new(strategy.Info?.Id ?? "", [], null,
            [
                .. found,
                .. Enum.GetValues<ConformanceRule>().Except(found.Select(f => f.Rule)).Select(rule =>
                    new ConformanceFinding(rule, $"not checked, because {why}", "the finding above") { NotChecked = true }),
            ]);

    private static List<ConformanceFinding> Apply(IStrategyRule rule, Subject subject)
    {
        try
        {
            return [.. rule.Check(subject)];
        }
        catch (Exception e)
        {
            return [subject.Fault(rule.Rule, e) ?? new(rule.Rule, $"the merge is refused: {e.Message}", rule.LookAt)];
        }
    }

    private static ConformanceFinding? DoesNotRun(Subject subject)
    {
        try
        {
            subject.MergeInOrder(subject.Models(TestValues.Shapes));
            return null;
        }
        catch (MergeException e) when (PluginFault.Of(subject.Strategy, e) is null)
        {
            return new(ConformanceRule.Options, $"the method does not run with these options: {e.Message}",
                "ConformanceSetup.Options, Models and WithBase: what it cannot do without must be given");
        }
        catch (Exception e)
        {
            return subject.Fault(ConformanceRule.Plan, e);
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
