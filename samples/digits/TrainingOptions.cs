namespace Merge.Samples.Digits;

/// <summary>How one run trains.</summary>
public sealed record TrainingOptions
{
    /// <summary>Decides the order of the rows and the augmentation; without a start also the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Adam's step size.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    /// <summary>The learning rate falls linearly to 0 over the run; otherwise it is constant.</summary>
    public bool Decay { get; init; }

    /// <summary>Passes over the rows.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Images a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Each image of a step moves by up to this many pixels in both directions, drawn anew each time.
    /// </summary>
    public int Shift { get; init; }

    /// <summary>Each pixel of a step gets a number drawn uniformly from ± this added.</summary>
    public float Noise { get; init; }

    /// <summary>Steps between checkpoints; 0: only after the last step. The last step always gives one.</summary>
    public int CheckpointEvery { get; init; }
}
