namespace Merge.Testing;

/// <summary>How a method is to be checked. Everything may be left out.</summary>
public sealed record ConformanceSetup
{
    /// <summary>The options it runs with; those of a new record when not given.</summary>
    public object? Options { get; init; }

    /// <summary>How many models; three, or the nearest the method takes, when not given.</summary>
    public int? Models { get; init; }

    /// <summary>Whether a method that can do without a base is given one.</summary>
    public bool WithBase { get; init; } = true;

    /// <summary>Whether the order of the models must not matter.</summary>
    public bool Symmetric { get; init; }

    /// <summary>
    /// Rules that do not hold of the method, each with the reason, as
    /// <c>Exceptions = { [ConformanceRule.Memory] = "decomposes whole matrices" }</c>. One that does hold is not to be here.
    /// </summary>
    public IDictionary<ConformanceRule, string> Exceptions { get; init; } =
        new Dictionary<ConformanceRule, string>();

    /// <summary>
    /// What the processor's bytes are compared with, as <c>--device</c> names it; it must then be there. When not given: the first
    /// device that is found, through CUDA, then through OpenCL, processors that OpenCL offers among them. <c>cpu</c>: none.
    /// </summary>
    public string? Device { get; init; }

    /// <summary>Largest error of what should be equal but may be rounded otherwise, relative to the largest value.</summary>
    public double Tolerance { get; init; } = 1e-5;
}
