namespace Merge.Testing.Rules;

internal sealed class MemoryRule : IStrategyRule
{
    // An array of floats as long as the tensor takes 4; what the host itself holds for cuts and quantiles takes less.
    private const double Limit = 3.5;

    // Both above a block of the host; the second four times the first.
    private static readonly Dictionary<string, long[]> _small = new() { ["layers.0.weight"] = [256, 256] };
    private static readonly Dictionary<string, long[]> _large = new() { ["layers.0.weight"] = [512, 512] };

    public ConformanceRule Rule => ConformanceRule.Memory;

    public string LookAt => "arrays as long as a tensor in Plan or in a kernel of Map. Where the method cannot do without whole "
        + "matrices (Materialize takes 8 bytes an element, a decomposition several times that), declare it: "
        + "Exceptions = { [ConformanceRule.Memory] = \"why\" }";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var growth = (Allocated(_large) - Allocated(_small)) / (double)((512 * 512) - (256 * 256));
        if (growth > Limit)
            yield return new(Rule, $"{growth.ToString("F1")} bytes of managed memory are allocated for every element", LookAt);

        // The least of some: what is allocated once, or because other tests run, is not the method's.
        long Allocated(Dictionary<string, long[]> shapes) => Enumerable.Range(0, 3).Min(_ =>
            subject.Engine.Allocated(subject.Strategy, subject.Options, subject.Models(shapes)));
    }
}
