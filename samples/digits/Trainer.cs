namespace Merge.Samples.Digits;

/// <summary>Trains on one thread; the same arguments give the same bits.</summary>
public static class Trainer
{
    private const ulong OrderStream = 1UL << 32, ShiftStream = 2UL << 32, NoiseStream = 3UL << 32;

    /// <param name="start">Where to start; null: from <see cref="DigitsModel.Initial"/>.</param>
    /// <param name="rows">What to learn from.</param>
    /// <param name="options">How.</param>
    /// <param name="onCheckpoint">Receives steps done so far, the model, and Adam's second moments
    /// (<c>exp_avg_sq</c>).</param>
    /// <returns>The model after the last step.</returns>
    public static DigitsModel Train(
        DigitsModel? start,
        DigitsSplit rows,
        TrainingOptions options,
        Action<int, DigitsModel, DigitsModel>? onCheckpoint = null)
    {
        var values = (start ?? DigitsModel.Initial(options.Seed)).CopyValues();
        var gradients = DigitsModel.Zeros();
        var adam = new Adam();
        var network = new Network(options.BatchSize);
        var stepsPerEpoch = rows.Count / options.BatchSize;
        var steps = stepsPerEpoch * options.Epochs;
        var labels = new int[options.BatchSize];
        var image = new float[DigitsSplit.PixelsPerImage];
        int[] order = [];

        for (var step = 0; step < steps; step++)
        {
            if (step % stepsPerEpoch == 0)
                order = CounterRandom.Permutation(rows.Count, options.Seed, OrderStream + (ulong)step);
            for (var b = 0; b < labels.Length; b++)
            {
                var row = order[step % stepsPerEpoch * labels.Length + b];
                labels[b] = rows.Labels[row];
                Augment(rows.Image(row), image, options, (ulong)step * (ulong)labels.Length + (ulong)b);
                network.SetImage(b, image);
            }

            network.Forward(values);
            network.Backward(values, labels, gradients);
            var rate = options.LearningRate * (options.Decay ? 1 - step / (float)steps : 1);
            adam.Step(values, gradients, rate);

            var done = step + 1;
            if (onCheckpoint is not null
                && (done == steps || (options.CheckpointEvery > 0 && done % options.CheckpointEvery == 0)))
                onCheckpoint(done, DigitsModel.FromValues(values), DigitsModel.FromValues(adam.SecondMoments));
        }

        return DigitsModel.FromValues(values);
    }

    private static void Augment(ReadOnlySpan<float> from, float[] to, TrainingOptions options, ulong draw)
    {
        var (right, down) = (0, 0);
        if (options.Shift > 0)
        {
            var places = 2 * options.Shift + 1;
            right = CounterRandom.Below(places, options.Seed, ShiftStream, 2 * draw) - options.Shift;
            down = CounterRandom.Below(places, options.Seed, ShiftStream, 2 * draw + 1) - options.Shift;
        }

        var firstPixel = draw * DigitsSplit.PixelsPerImage;
        for (var i = 0; i < to.Length; i++)
        {
            var (y, x) = (i / 8 - down, i % 8 - right);
            to[i] = y is >= 0 and < 8 && x is >= 0 and < 8 ? from[y * 8 + x] : 0;
            if (options.Noise > 0)
                to[i] += options.Noise
                    * (2 * CounterRandom.Uniform(options.Seed, NoiseStream, firstPixel + (ulong)i) - 1);
        }
    }
}
