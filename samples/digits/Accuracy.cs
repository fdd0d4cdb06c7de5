namespace Merge.Samples.Digits;

/// <summary>How often a model is right.</summary>
public static class Accuracy
{
    /// <summary>Share of the images named rightly, 0 to 1.</summary>
    /// <exception cref="ArgumentException">The model lacks a tensor or has one of another shape.</exception>
    public static double Of(DigitsModel model, DigitsSplit split) => ExampleScores(model, split).Average();

    /// <summary>1 for each image named rightly, 0 for each other: what a paired bootstrap resamples.</summary>
    /// <exception cref="ArgumentException">The model lacks a tensor or has one of another shape.</exception>
    public static double[] ExampleScores(DigitsModel model, DigitsSplit split)
    {
        var network = new Network(split.Count);
        for (var row = 0; row < split.Count; row++)
            network.SetImage(row, split.Image(row));
        network.Forward(model.CopyValues());
        return [.. split.Labels.Select((label, row) => network.Prediction(row) == label ? 1.0 : 0.0)];
    }
}
