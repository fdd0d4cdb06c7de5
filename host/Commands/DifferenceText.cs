using System.Text.Json;
using Merge.Trust;

namespace Merge.Commands;

/// <summary>A paired difference as properties.</summary>
internal static class DifferenceText
{
    /// <param name="json">Within an object.</param>
    /// <param name="difference">Of two models.</param>
    /// <param name="isObjective">Whether more is better; of a metric alone that is not known.</param>
    public static void Write(Utf8JsonWriter json, PairedDifference difference, bool isObjective = true)
    {
        json.WriteString("verdict", difference.IsGain ? isObjective ? "better" : "higher"
            : difference.IsLoss ? isObjective ? "worse" : "lower" : "not told apart");
        json.WriteNumber("examples", difference.Examples);
        json.WriteNumber("mean", difference.Mean);
        json.WriteNumber("low", difference.Low);
        json.WriteNumber("high", difference.High);
        json.WriteNumber("confidence", difference.Confidence);
        json.WriteNumber("gain_probability", difference.GainProbability);
    }
}
