using Merge.Adapters;
using Merge.Compute;
using Merge.Merging.LowRank;

namespace Merge.Commands;

/// <summary>What <c>merge inspect</c> says of an adapter.</summary>
internal static class AdapterListing
{
    // Of the squared change of a module: what "most of it" means in the listing.
    private const double Most = 0.9;

    public static void Print(Terminal terminal, Adapter adapter)
    {
        var modules = adapter.Modules.Values.InNaturalOrder(m => m.Name).Select(Spectrum).ToArray();
        foreach (var warning in adapter.Warnings)
            terminal.Warn(warning);
        if (terminal.IsJson)
        {
            PrintJson(terminal, adapter, modules);
            return;
        }
        var table = new TerminalTable("module", "shape", "rank", "scale", "norm of change", "rank that holds 90 %", "largest");
        foreach (var (module, sigma) in modules)
        {
            table.Add(
                module.Name + (module.Magnitude is null ? "" : " (DoRA)"),
                $"[{string.Join(", ", module.Shape)}]",
                $"{module.Rank}",
                $"{module.Scale:G4}",
                $"{Norm(sigma):G4}",
                $"{RankOf(sigma)}",
                sigma.Length == 0 ? "-" : $"{sigma[0]:G4}");
        }
        table.Write(terminal);
        terminal.Line();
        terminal.Line(
            $"{adapter.Path}: LoRA adapter of {adapter.Config?.BaseModel ?? "an unnamed model"}, {modules.Length} modules, "
            + $"{modules.Sum(m => m.Module.Rank * (m.Module.Inputs + m.Module.Outputs)):N0} parameters in factors");
        if (adapter.Saved.Count > 0)
            terminal.Line($"  whole parameters: {string.Join(", ", adapter.Saved.Keys)}");
        if (adapter.Config is null)
            terminal.Line($"  {adapter.Format}'s format: scales by {adapter.ScaledBy}");
    }

    // The norm and the spectrum are those of s·B·A, through its factors.
    private static (AdapterModule Module, double[] Sigma) Spectrum(AdapterModule module) =>
        (module, FactorAlgebra.SingularValues(Factors.Of([(module, 1)]), LinearAlgebraChoice.OfProcess));

    private static double Norm(double[] sigma) => Math.Sqrt(sigma.Sum(s => s * s));

    private static int RankOf(double[] sigma) => new RankChoice(null, Most).Of(sigma, sigma.Sum(s => s * s));

    private static void PrintJson(Terminal terminal, Adapter adapter, (AdapterModule Module, double[] Sigma)[] modules) =>
        terminal.Json(json =>
        {
            json.WriteString("adapter", adapter.Path);
            json.WriteString("base_model", adapter.Config?.BaseModel);
            json.WriteString("format", adapter.Format);
            json.WriteStartArray("modules");
            foreach (var (module, sigma) in modules)
            {
                json.WriteStartObject();
                json.WriteString("name", module.Name);
                json.WriteStartArray("shape");
                foreach (var size in module.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteNumber("rank", module.Rank);
                json.WriteNumber("scale", module.Scale);
                json.WriteBoolean("dora", module.Magnitude is not null);
                json.WriteNumber("norm", Norm(sigma));
                json.WriteStartArray("singular_values");
                foreach (var value in sigma)
                    json.WriteNumberValue(value);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("whole_parameters");
            foreach (var name in adapter.Saved.Keys)
                json.WriteStringValue(name);
            json.WriteEndArray();
        });
}
