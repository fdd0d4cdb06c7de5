using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>A checkpoint of any format to safetensors: every tensor as it is, or its numbers as another dtype.</summary>
internal static class ConversionPlanner
{
    /// <param name="text">The checkpoint, as its user names it.</param>
    /// <param name="checkpoint">It, open.</param>
    /// <param name="isState">Whether the optimizer's state is converted instead of the weights.</param>
    /// <param name="outType">What floating-point tensors become; null: what they are.</param>
    /// <param name="maxShardBytes">Largest output file.</param>
    /// <exception cref="MergeException">There is nothing to convert, or a tensor cannot be.</exception>
    public static MergePlan Plan(string text, Checkpoint checkpoint, bool isState, DType? outType, long maxShardBytes)
    {
        if (isState && checkpoint.State.Count == 0)
        {
            throw new MergeException(checkpoint.StateProblem ?? new Diagnostic("the checkpoint holds no optimizer state")
            {
                Where = checkpoint.Path,
                Expected = "a training checkpoint, or a file of an optimizer's state",
            });
        }
        var tensors = (isState ? checkpoint.State : checkpoint.Tensors).Values
            .Select(t => TensorPlan.Copy(TensorNaming.Describe(t.Name, t.Shape), t, t.DType.IsMergeable() ? outType : null))
            .ToArray();
        if (tensors.Length == 0)
            throw new MergeException(new Diagnostic("the checkpoint holds no tensors") { Where = checkpoint.Path });
        if (tensors.FirstOrDefault(t => t.OutType.Bits() < 8) is { } packed)
        {
            throw new MergeException(new Diagnostic($"'{packed.Info.Name}' is {packed.OutType}, whose elements share bytes")
            {
                Where = checkpoint.Path,
                Fix = "Such a checkpoint is safetensors already: copy its files.",
            });
        }
        var dtype = outType is null ? "" : $"dtype: {DTypeText(outType.Value)}\n";
        return new MergePlan
        {
            Strategy = new Converter(),
            Plugin = new("convert", "", ""),
            Origin = new($"merge_method: passthrough\nmodels:\n  - model: {System.Text.Json.JsonSerializer.Serialize(text)}\n{dtype}", [text], null),
            Models = [checkpoint],
            Base = null,
            Donor = checkpoint,
            Tensors = tensors,
            Layout = SafetensorsLayout.Of(
                tensors.Select(t => new OutputTensor(t.Info.Name, t.OutType, t.Info.Shape)),
                maxShardBytes,
                new Dictionary<string, string> { ["format"] = "pt" }),
            OutType = outType,
            Seed = 0,
            Warnings = isState || checkpoint.StateProblem is not { } problem ? [] : [problem with { Severity = Severity.Warning }],
            Opened = [checkpoint],
            Distinctions = [$"state {isState}"],
            Conversion = $"{(isState ? "The optimizer's state" : "The weights")} of `{text}` as safetensors"
                + (outType is { } type ? $", rounded to {DTypeText(type)}" : ""),
            InputFiles = [.. checkpoint.Files.Select(f => (text, f))],
        };
    }

    private static string DTypeText(DType dtype) => dtype switch
    {
        DType.F64 => "float64",
        DType.F32 => "float32",
        DType.F16 => "float16",
        _ => "bfloat16",
    };

    /// <summary>Names the work in manifest and report; every tensor is copied, so it is never asked.</summary>
    private sealed class Converter : MergeStrategy<Converter.None>
    {
        public override StrategyInfo Info => new("convert", "Conversion to safetensors", MaxModels: 1);

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, None options) => new(TensorMerge.Copy(0));

        public sealed record None;
    }
}
