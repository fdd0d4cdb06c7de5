using Merge.Sdk;

namespace Merge.Samples.Digits.Evaluator;

/// <summary>Offers the evaluator <c>digits</c>.</summary>
public sealed class DigitsEvaluatorFactory : EvaluatorFactory<DigitsOptions>
{
    /// <inheritdoc/>
    public override EvaluatorInfo Info { get; } = new("digits", "Digits",
        "Accuracy and loss of a digits classifier on images of writers it was not trained on.");

    /// <inheritdoc/>
    protected override IEvaluator Open(DigitsOptions options)
    {
        var folder = options.Data
            ?? Path.Combine(Path.GetDirectoryName(GetType().Assembly.Location)!, "samples", "digits", "data");
        try
        {
            return new DigitsEvaluator(DigitsData.Load(folder));
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new MergeException(new Diagnostic($"the digits cannot be read: {fault.Message}")
            {
                Where = folder,
                Fix = "Give the folder of optdigits.tra and optdigits.tes as the option 'data'.",
            }, fault);
        }
    }
}
