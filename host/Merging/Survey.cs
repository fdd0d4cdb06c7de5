using Merge.Planning;

namespace Merge.Merging;

/// <summary>The survey of one choice of options: what goes in, and what comes out.</summary>
/// <param name="Options">The options of every tensor that is merged.</param>
internal sealed record Survey(Func<TensorPlan, object> Options)
{
    /// <summary>What was found, handed to every plan; null where the survey failed.</summary>
    public object? Result { get; set; }

    /// <summary>Why it failed, if it did.</summary>
    public Exception? Fault { get; set; }
}
