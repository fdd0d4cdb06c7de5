using Merge.Sdk;
using Merge.Testing;
using Merge.Testing.Engine;
using Plugins.Tests.Conformance;

namespace Plugins.Tests.Engine;

/// <summary>Strategies of plugins that <see cref="Workload"/> leaves out, set and fed, side files too, as the kit does it.</summary>
internal static class ConformanceWorkload
{
    public static IEnumerable<string> Methods =>
        PluginStrategies.Ids.Except(Workload.Methods.Select(m => Workload.Of(m).Strategy.Info.Id));

    public static (MergeStrategy Strategy, object Options, MergeInputs Inputs) Of(string id)
    {
        using var none = new DeviceEngine(null, "not asked for");
        var subject = new Subject(new StreamedEngine(), none, PluginStrategies.Of(id), ConformanceSetups.Of(id));
        var models = subject.Models(TestValues.Shapes);
        return (subject.Strategy, subject.Options, new MergeInputs([.. models.Models.Select(Arrays)])
        {
            Base = models.Base is { } theta0 ? Arrays(theta0) : null,
            Seed = models.Seed,
            Sides = models.Sides.ToDictionary(
                s => s.Key,
                s => s.Value.Select(f => f is null ? null : (IReadOnlyDictionary<string, ArrayTensor>)Arrays(f)).ToArray()),
        });
    }

    private static Dictionary<string, ArrayTensor> Arrays(IReadOnlyDictionary<string, TestTensor> tensors) =>
        tensors.ToDictionary(t => t.Key, t => new ArrayTensor([.. t.Value.Shape], t.Value.Values));
}
