using System.Globalization;
using Merge.Checkpoints;
using Merge.Curvature;
using Merge.Planning;
using Merge.Reports;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>The HTML file of <c>merge curvature threshold --report</c>.</summary>
internal static class MaskReport
{
    private const string Extension = ".html";
    private const string WeightSuffix = ".weight";

    /// <summary>Refuses, before minutes of work, a name that cannot be written.</summary>
    /// <exception cref="MergeException">It is no name of a page, or a folder.</exception>
    public static void Check(string path)
    {
        // A report replaces the one before it: only what is called a page may be replaced.
        if (!path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            throw Refuse($"the report is an HTML file, and its name does not end in {Extension}", "Add it.");
        if (Directory.Exists(path))
            throw Refuse("a folder stands where the report would be", "Give another name.");

        MergeException Refuse(string found, string fix) =>
            new(new Diagnostic(found) { Where = path, Fix = fix }) { WrongUsage = true };
    }

    /// <summary>Writes it, over what is there; complete as soon as it has its name.</summary>
    /// <param name="masks">What it shows.</param>
    /// <param name="recipe">The recipe's file.</param>
    /// <param name="baseModel">θ_0; null: the scores are v alone.</param>
    /// <param name="path">Its full name.</param>
    /// <exception cref="MergeException">It cannot be written.</exception>
    public static void Write(MaskDensities masks, string recipe, string? baseModel, string path)
    {
        var text = CurvatureReport.Of(Of(masks, recipe, baseModel));
        var partial = path + ".partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(partial, text);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(path, text.Length, fault);
        }
    }

    private static CurvatureReportData Of(MaskDensities masks, string recipe, string? baseModel) => new(
        $"Edits kept of {Path.GetFileName(recipe)}",
        [
            ("recipe", recipe),
            ("base model", baseModel ?? "none"),
            ("saliency", baseModel is null ? "v, the second moment" : "v·Δ², v the second moment, Δ the edit"),
            ("density asked for", masks.Density.ToString("R", CultureInfo.InvariantCulture)),
            ("elements", masks.Count.ToString(CultureInfo.InvariantCulture)),
        ],
        [.. masks.Models.Zip(masks.Thresholds, (name, threshold) => new MaskedModel(name, threshold))],
        [.. masks.Tensors.InNaturalOrder(t => t.Name).Select(Of)]);

    private static TensorDensity Of(Curvature.TensorMask tensor)
    {
        var part = TensorNaming.Split(tensor.Name)?.Suffix.TrimStart('.');
        return new(
            tensor.Name,
            part is null ? null : tensor.Layer,
            part is null ? tensor.Name : part.EndsWith(WeightSuffix, StringComparison.Ordinal) ? part[..^WeightSuffix.Length] : part,
            tensor.Count,
            tensor.Kept);
    }
}
