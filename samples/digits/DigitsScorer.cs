using System.Collections.Concurrent;

namespace Merge.Samples.Digits;

/// <summary>Scores many models on the same images, from any number of threads.</summary>
public sealed class DigitsScorer(DigitsSplit split)
{
    private readonly ConcurrentBag<Network> networks = [];

    /// <summary>For each image: 1 where it is named rightly, else 0; and the cross entropy in nats.</summary>
    /// <exception cref="ArgumentException">The model lacks a tensor or has one of another shape.</exception>
    public (double[] Right, double[] Loss) Score(DigitsModel model)
    {
        var values = model.CopyValues();
        if (!networks.TryTake(out var network))
            network = Filled();
        network.Forward(values);
        double[] right = [.. split.Labels.Select((label, row) => network.Prediction(row) == label ? 1.0 : 0.0)];
        double[] loss = [.. split.Labels.Select((label, row) => network.Loss(row, label))];
        networks.Add(network);
        return (right, loss);
    }

    private Network Filled()
    {
        var network = new Network(split.Count);
        for (var row = 0; row < split.Count; row++)
            network.SetImage(row, split.Image(row));
        return network;
    }
}
