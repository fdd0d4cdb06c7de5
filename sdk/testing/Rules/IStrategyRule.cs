namespace Merge.Testing.Rules;

/// <summary>One rule and how it is checked.</summary>
internal interface IStrategyRule
{
    ConformanceRule Rule { get; }

    /// <summary>Where the cause usually is, for what the rule cannot say better.</summary>
    string LookAt { get; }

    /// <summary>What does not hold; empty where all is well.</summary>
    IEnumerable<ConformanceFinding> Check(Subject subject);
}
