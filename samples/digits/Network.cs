namespace Merge.Samples.Digits;

/// <summary>Runs the classifier forward and backward on up to <c>images</c> images at once.</summary>
internal sealed class Network
{
    private readonly int images;
    private readonly float[] pixels, hidden0, hidden1, normal, scale, normed, logits, dNormed, dHidden1, dHidden0;

    public Network(int images)
    {
        this.images = Lanes.RoundUp(images);
        pixels = new float[DigitsSplit.PixelsPerImage * this.images];
        logits = new float[DigitsModel.Digits * this.images];
        scale = new float[this.images];
        (hidden0, hidden1, normal, normed) = (Activations(), Activations(), Activations(), Activations());
        (dNormed, dHidden1, dHidden0) = (Activations(), Activations(), Activations());

        float[] Activations() => new float[DigitsModel.Hidden * this.images];
    }

    /// <summary>Puts an image into a column.</summary>
    public void SetImage(int column, ReadOnlySpan<float> image)
    {
        for (var i = 0; i < image.Length; i++)
            pixels[i * images + column] = image[i];
    }

    /// <param name="p">The model's values in the order of <see cref="DigitsModel.Layout"/>.</param>
    public void Forward(float[][] p)
    {
        Layers.Linear(p[0], p[1], pixels, hidden0, images);
        Layers.Relu(hidden0);
        Layers.Linear(p[2], p[3], hidden0, hidden1, images);
        Layers.Relu(hidden1);
        Layers.Norm(p[4], p[5], hidden1, normal, scale, normed, images);
        Layers.Linear(p[6], p[7], normed, logits, images);
    }

    /// <summary>
    /// After <see cref="Forward"/>: the gradients of the mean cross entropy over the labelled images.
    /// </summary>
    public void Backward(float[][] p, ReadOnlySpan<int> labels, float[][] gradients)
    {
        Softmax.CrossEntropyGradient(logits, labels, images);
        Layers.LinearBackward(p[6], normed, logits, gradients[6], gradients[7], dNormed, images);
        Layers.NormBackward(p[4], normal, scale, dNormed, gradients[4], gradients[5], dHidden1, images);
        Layers.ReluBackward(hidden1, dHidden1);
        Layers.LinearBackward(p[2], hidden0, dHidden1, gradients[2], gradients[3], dHidden0, images);
        Layers.ReluBackward(hidden0, dHidden0);
        Layers.LinearBackward(p[0], pixels, dHidden0, gradients[0], gradients[1], null, images);
    }

    /// <summary>After <see cref="Forward"/>: the cross entropy of an image, in nats.</summary>
    public double Loss(int column, int label)
    {
        var largest = double.NegativeInfinity;
        for (var d = 0; d < DigitsModel.Digits; d++)
            largest = Math.Max(largest, logits[d * images + column]);
        var sum = 0.0;
        for (var d = 0; d < DigitsModel.Digits; d++)
            sum += Softmax.Exp((float)(logits[d * images + column] - largest));
        return largest + Math.Log(sum) - logits[label * images + column];
    }

    /// <summary>
    /// After <see cref="Forward"/>: the digit with the largest logit; the smallest such digit where they tie.
    /// </summary>
    public int Prediction(int column)
    {
        var best = 0;
        for (var d = 1; d < DigitsModel.Digits; d++)
            if (logits[d * images + column] > logits[best * images + column])
                best = d;
        return best;
    }
}
