namespace Merge.Testing.Rules;

internal sealed class DeviceRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Device;

    public string LookAt => "fields and statics that Plan writes (state); kernels of Map whose result depends on how a tensor is cut. "
        + "Where there is none, the fault is the host's or "
        + "the driver's: report it with the device's name";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        if (subject.Device.Engine is not { } device)
        {
            yield return new(Rule, $"not checked: {subject.Device.Text}", "ConformanceSetup.Device; pocl-opencl-icd is an OpenCL device "
                + "that needs no card")
            {
                NotChecked = !subject.Device.IsRequired,
            };
            yield break;
        }
        var inputs = subject.Models(TestValues.Shapes);
        var expected = subject.Merge(inputs);
        var merged = device.Merge(subject.Strategy, subject.Options, inputs, new());
        if (Difference.OfBits(expected, merged) is { } found)
            yield return new(Rule, $"on {subject.Device.Text} other bits come out than on the processor: {found}", LookAt);
    }
}
