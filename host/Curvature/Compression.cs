using System.Globalization;
using Merge.Checkpoints;
using Merge.Checkpoints.PyTorch;
using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Curvature;

/// <summary>What a compression came to.</summary>
/// <param name="Compressed">How many 2-D tensors are now row and column sums.</param>
/// <param name="Kept">How many tensors are as they were.</param>
/// <param name="BytesBefore">Size of the input's files.</param>
/// <param name="BytesAfter">Size of the output.</param>
internal sealed record CompressionSummary(int Compressed, int Kept, long BytesBefore, long BytesAfter);

/// <summary>
/// Second moments to rank-1 form: of every 2-D tensor its row sums and its column sums (float64 sums, stored as float32),
/// from which a side input is expanded as row_i · (column_j / Σ row). All others stay as they are. One streaming pass.
/// </summary>
internal static class Compression
{
    public const string RowSum = ".row_sum";
    public const string ColumnSum = ".column_sum";

    private const string SecondMoment = ".exp_avg_sq";

    /// <summary>What Adam keeps of a parameter beside it.</summary>
    private static readonly string[] Neighbours = [".exp_avg", ".max_exp_avg_sq"];

    /// <param name="moments">Second moments, or any diagonal importance; of a training checkpoint its optimizer's state.</param>
    /// <param name="output">The safetensors file to make; complete as soon as it has this name.</param>
    /// <param name="force">Whether a file of that name may be replaced.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks, and leaves nothing.</param>
    /// <exception cref="MergeException">
    /// A value is negative or not finite, a sum beyond float32; a state has no names or no second moments; the output is an
    /// input or cannot be written.
    /// </exception>
    public static CompressionSummary Run(
        Checkpoint moments, string output, bool force, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        var tensors = Moments(moments);
        CheckNames(tensors, moments.Path);
        CheckOutput(moments, Path.GetFullPath(output));
        var layout = SafetensorsLayout.Of(
            tensors.SelectMany(Stored), long.MaxValue, new Dictionary<string, string> { ["format"] = "pt" });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var file = AtomicFile.Create(output, layout, force);
        var context = new RunContext
        {
            Method = "compress",
            Seed = 0,
            Settings = settings,
            Checksums = new Checksums(),
            Progress = progress,
        };
        new Scheduler(settings.Threads, stop).Run(tensors.Where(t => t.Length > 0).Select<TensorSource, IJob>(
            t => IsCompressed(t) ? new SumsJob(context, t, file) : new CopyJob(context, t, file)));
        file.Complete();
        return new(
            tensors.Count(IsCompressed),
            tensors.Count(t => !IsCompressed(t)),
            moments.Files.Sum(f => f.Size),
            layout.Size);
    }

    // A training checkpoint's are in its optimizer's state; a file of a state alone has their neighbours, too.
    private static TensorSource[] Moments(Checkpoint checkpoint)
    {
        if (checkpoint.StateProblem is { } problem)
            throw new MergeException(problem);
        var all = checkpoint.Tensors;
        var moments = checkpoint.HasOptimizer
            ? checkpoint.State.Values.Where(t => t.Name.EndsWith(SecondMoment, StringComparison.Ordinal))
            : all.Values.Where(t => !IsNeighbour(t.Name));
        TensorSource[] ordered = [.. moments.OrderBy(t => t.Name, StringComparer.Ordinal)];
        if (checkpoint.HasOptimizer && ordered.Length == 0)
            throw WithoutMoments(checkpoint);
        return ordered;

        bool IsNeighbour(string name) => Neighbours.Any(
            n => name.EndsWith(n, StringComparison.Ordinal) && all.ContainsKey(name[..^n.Length] + SecondMoment));
    }

    private static MergeException WithoutMoments(Checkpoint checkpoint)
    {
        var kept = checkpoint.State.Keys.Select(k => k[(k.LastIndexOf('.') + 1)..]).Distinct().ToArray();
        return new(new Diagnostic("the optimizer keeps no exp_avg_sq: "
            + (kept.Length == 0 ? "its state is empty" : $"its state holds {PickleText.Listed(kept)}"))
        {
            Where = checkpoint.Path,
            Expected = "the state of Adam, AdamW or another optimizer that keeps second moments",
            Fix = "Give a file of second moments, or of any diagonal importance, by the parameters' names; the weights are none.",
        });
    }

    private static void CheckOutput(Checkpoint moments, string output)
    {
        if (!moments.Files.Any(f => OutputTarget.AreSame(f.Path, output)))
            return;
        throw new MergeException(new Diagnostic("the output is an input: the moments would be replaced by their sums")
        {
            Where = output,
            Fix = "Give another name.",
        })
        { WrongUsage = true };
    }

    private static bool IsCompressed(TensorSource tensor) =>
        tensor.Shape.Length == 2 && tensor.DType.IsMergeable() && tensor.Length > 0;

    private static IEnumerable<OutputTensor> Stored(TensorSource tensor) => IsCompressed(tensor)
        ?
        [
            new(tensor.Name + RowSum, DType.F32, [tensor.Shape[0]]),
            new(tensor.Name + ColumnSum, DType.F32, [tensor.Shape[1]]),
        ]
        : [new(tensor.Name, tensor.DType, tensor.Shape)];

    private static void CheckNames(TensorSource[] tensors, string path)
    {
        var twice = tensors.SelectMany(Stored).GroupBy(t => t.Name).Where(g => g.Count() > 1).Select(g => g.Key).ToArray();
        if (twice.Length == 0)
            return;
        throw new MergeException([.. twice.Select(name => new Diagnostic($"'{name}' is there, and would be made again")
        {
            Where = path,
            Fix = $"The file has a tensor whole and compressed: remove one of the two.",
        })]);
    }

    private static TensorPlan PlanOf(TensorSource tensor) => new()
    {
        Info = TensorNaming.Describe(tensor.Name, tensor.Shape),
        OutType = tensor.DType,
        Options = null,
        Models = [tensor],
        Base = null,
        Sides = [new SideTensor("v", 0, tensor, null, null)],
    };

    private sealed class SumsJob : IJob
    {
        private readonly RunContext _context;
        private readonly TensorPlan _plan;
        private readonly AtomicFile _file;
        private readonly Stat<double[][]> _sums;
        private readonly TensorStatistics _statistics;

        public SumsJob(RunContext context, TensorSource tensor, AtomicFile file)
        {
            (_context, _plan, _file) = (context, PlanOf(tensor), file);
            var scan = new ScanOf(context, _plan);
            _sums = Stat.All([scan.Tensor.RowSums(b => b.Side("v", 0)), scan.Tensor.ColumnSums(b => b.Side("v", 0))]);
            _statistics = scan.TakePending()!;
        }

        public Phase? Next()
        {
            if (_statistics.Next() is { } sweep)
                return new SweepPhase(_context, _plan, sweep);
            _statistics.Complete();
            var sums = _sums.GetAwaiter().GetResult();
            foreach (var (suffix, values) in new[] { RowSum, ColumnSum }.Zip(sums))
            {
                CheckRange(suffix, values);
                _file.Write(_plan.Info.Name + suffix, 0, Bytes(values));
            }
            _context.Progress.FinishedTensor();
            return null;
        }

        private void CheckRange(string suffix, double[] values)
        {
            if (Array.FindIndex(values, v => !float.IsFinite((float)v)) is var at && at < 0)
                return;
            throw new MergeException(new Diagnostic(
                $"{(suffix == RowSum ? "row" : "column")} {at} of '{_plan.Info.Name}' adds up to "
                + values[at].ToString("G9", CultureInfo.InvariantCulture))
            {
                Where = _plan.Models[0]!.Files.First().Path,
                Expected = "sums that float32 holds, below 3.4e38",
                Fix = "Use the file as it is: wherever sums are read, whole second moments are, too.",
            });
        }

        private static byte[] Bytes(double[] values) =>
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.Select(v => (float)v).ToArray().AsSpan()).ToArray();
    }

    private sealed class CopyJob(RunContext context, TensorSource tensor, AtomicFile file) : IJob
    {
        private bool _done;

        public Phase? Next()
        {
            if (_done)
            {
                context.Progress.FinishedTensor();
                return null;
            }
            _done = true;
            return new KeptPhase(context, PlanOf(tensor), tensor, file);
        }
    }

    /// <summary>Copies a tensor's bytes, checked as those of a side input.</summary>
    private sealed class KeptPhase(RunContext context, TensorPlan plan, TensorSource tensor, AtomicFile file)
        : Phase(context, plan, [tensor], context.BlockLength(plan, [tensor], 0, 1))
    {
        public override unsafe void Run(int part, Worker worker)
        {
            Span<nint> address = stackalloc nint[1];
            var (start, count) = (part * PartLength, (int)LengthOf(part));
            Read(part, start, count, worker, address);
            var size = tensor.Length / Count;
            file.Write(tensor.Name, start * size, new ReadOnlySpan<byte>((void*)address[0], checked((int)(count * size))));
        }
    }
}
